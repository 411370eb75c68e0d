"""The paper's ablation (figure 3): the five norms of the decoder after the same short training, in both frameworks.

    python -m benchmarks.ablation --data ../shared/data/selfie2anime_mini --work RUNS --steps 300 --out docs/images/ablation.png

A run that is there is continued, and all get as far before any goes on. Drawn is the last step of which all ten have weights.
"""

from pathlib import Path

import click
import matplotlib
import numpy as np

from benchmarks.training_course import smooth
from parity.ugatit.trainer import (
    Options,
    Trainer,
    Translator,
    find_images,
    read_image,
    read_losses,
    resume_exactly,
    test_array,
    to_image,
)
from weights_convert import DECODER_NORMS, Staging

matplotlib.use("Agg")
FRAMEWORKS = ("torch", "paddle")
SIZES = {"ngf": 8, "ndf": 8, "light": True, "img_size": 96}
STRIDE = 100  # steps of one run before the next has its turn
TITLES = {"adalin": "AdaLIN", "adain": "AdaIN", "in": "IN", "ln": "LN", "gn": "GN"}
SHOWN = 3


def folder(work, framework, norm):
    """Of one run."""
    return Path(work) / f"{framework}_{norm}"


def train(framework, norm, data, work, steps):
    """Train until `steps` steps are done, from the seed or from where the run was left."""
    out = folder(work, framework, norm)
    resume = resume_exactly(out) if (out / "state").is_dir() else None
    trainer = Trainer(framework, Options(**SIZES, decoder_norm=norm), data, out, device="cpu", resume=resume)
    if trainer.step < steps:
        trainer.run(steps, print_freq=steps, save_freq=steps, progress=False)


def weights(work, framework, norm):
    """Step -> the checkpoint of a run."""
    return {int(path.stem.rpartition("_")[2]): path for path in (folder(work, framework, norm) / "model").glob("*_params_*")}


def common_step(work):
    """The last step of which all ten runs have weights."""
    return max(set.intersection(*(set(weights(work, framework, norm)) for framework in FRAMEWORKS for norm in DECODER_NORMS)))


def translated(files, work, steps):
    """(framework, norm) -> a picture (S, S, 3), uint8, for each file."""
    made = {}
    for framework in FRAMEWORKS:
        for norm in DECODER_NORMS:
            translator = Translator(framework, weights(work, framework, norm)[steps], img_size=SIZES["img_size"], device="cpu",
                                    decoder_norm=norm)
            made[framework, norm] = [np.asarray(translator(read_image(file))) for file in files]
    return made


def table(made, losses):
    """Lines of Markdown: how far the frameworks are apart, and each norm from AdaLIN. Losses: means of the last 15 steps of torch;
    pictures: mean absolute differences, in values of 0 to 255."""
    def apart(one, other):
        return np.mean(np.abs(np.subtract(made[one], made[other], dtype=float)))

    yield "| norm | D loss | G loss | G loss, Paddle / torch - 1 | pictures, Paddle to torch | pictures, to AdaLIN |"
    yield "|---|---|---|---|---|---|"
    for norm in DECODER_NORMS:
        torch, paddle = (losses[framework, norm] for framework in FRAMEWORKS)
        d_loss, g_loss = (np.mean(torch[name][-15:]) for name in ("D_loss", "G_loss"))
        ratio = np.mean(paddle["G_loss"][-15:]) / g_loss - 1
        yield (f"| {TITLES[norm]} | {d_loss:.2f} | {g_loss:.0f} | {ratio:+.2%} | {apart(('torch', norm), ('paddle', norm)):.1f} "
               f"| {apart(('torch', norm), ('torch', 'adalin')):.1f} |")


def draw(files, made, losses, out):
    """The selfies with their translations, a row per framework, over the losses."""
    from matplotlib import pyplot
    figure = pyplot.figure(figsize=(9.5, 13), layout="constrained")
    pictures, courses = figure.subfigures(2, 1, height_ratios=(2.4, 1))
    axes = pictures.subplots(len(files) * len(FRAMEWORKS), 1 + len(DECODER_NORMS))
    for place, framework in enumerate(FRAMEWORKS):
        for number, file in enumerate(files):
            first, *others = axes[number * len(FRAMEWORKS) + place]
            first.imshow(np.asarray(to_image(test_array(read_image(file), SIZES["img_size"]))))
            first.set_ylabel(framework)
            for axis, norm in zip(others, DECODER_NORMS, strict=True):
                axis.imshow(made[framework, norm][number])
    for axis, title in zip(axes[0], ("selfie", *TITLES.values()), strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for axis, name in zip(courses.subplots(1, 2), ("D_loss", "G_loss"), strict=True):
        for index, norm in enumerate(DECODER_NORMS):
            for framework, line in zip(FRAMEWORKS, ("-", "--"), strict=True):
                values = smooth(losses[framework, norm][name])
                axis.plot(np.arange(1, len(values) + 1), values, line, color=f"C{index}", linewidth=1.2,
                          label=TITLES[norm] if framework == "torch" else None)
        axis.set(title=f"{name}, mean of 15 steps; dashed: paddle", xlabel="step", yscale="log")
        axis.grid(alpha=0.3)
        axis.legend()
    with Staging(Path(out).parent) as stage:
        figure.savefig(stage.path(Path(out).name), dpi=70, format="png")
    pyplot.close(figure)


@click.command()
@click.option("--data", metavar="DIR", required=True, help="Folder with trainA, trainB and testA.")
@click.option("--work", metavar="DIR", required=True, help="Folder of the runs.")
@click.option("--steps", type=click.IntRange(min=1), default=300, show_default=True)
@click.option("--out", metavar="FILE.png", required=True)
def main(data, work, steps, out):
    """Train all ten, and draw them."""
    for target in [*range(STRIDE, steps, STRIDE), steps]:
        for norm in DECODER_NORMS:
            for framework in FRAMEWORKS:
                train(framework, norm, data, work, target)
    steps = common_step(work)
    files = find_images(Path(data) / "testA")
    losses = {}
    for framework in FRAMEWORKS:
        for norm in DECODER_NORMS:
            course = read_losses(folder(work, framework, norm) / "losses.csv")
            losses[framework, norm] = {name: values[:steps] for name, values in course.items()}
    made = translated(files, work, steps)
    draw(files[:SHOWN], made, losses, out)
    click.echo(f"{out}: {steps} steps")
    click.echo("\n".join(table(made, losses)))


if __name__ == "__main__":
    main()
