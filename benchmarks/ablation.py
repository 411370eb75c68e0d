"""The paper's ablation (figure 3): the five norms of the decoder after the same short training, in both frameworks.

    python -m benchmarks.ablation --data ../shared/data/selfie2anime_mini --work RUNS --steps 300 --out docs/images/ablation.png

A run that is there is continued, and all get as far before any goes on, so that it can be stopped and drawn at any time.
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


def draw(data, work, out):
    """The test selfies with their translations, a row per framework, over the losses. Returns how many steps all runs have."""
    from matplotlib import pyplot
    files = find_images(Path(data) / "testA")[:SHOWN]
    losses = {(framework, norm): read_losses(folder(work, framework, norm) / "losses.csv")
              for framework in FRAMEWORKS for norm in DECODER_NORMS}
    steps = min(len(course["step"]) for course in losses.values())
    figure = pyplot.figure(figsize=(11, 13), layout="constrained")
    pictures, courses = figure.subfigures(2, 1, height_ratios=(2.2, 1))
    axes = pictures.subplots(len(files) * len(FRAMEWORKS), 1 + len(DECODER_NORMS))
    for column, norm in enumerate(DECODER_NORMS, 1):
        for place, framework in enumerate(FRAMEWORKS):
            translator = Translator(framework, folder(work, framework, norm), img_size=SIZES["img_size"], device="cpu")
            for number, file in enumerate(files):
                axes[number * len(FRAMEWORKS) + place][column].imshow(np.asarray(translator(read_image(file))))
        axes[0][column].set_title(TITLES[norm])
    for number, file in enumerate(files):
        for place, framework in enumerate(FRAMEWORKS):
            first = axes[number * len(FRAMEWORKS) + place][0]
            first.imshow(np.asarray(to_image(test_array(read_image(file), SIZES["img_size"]))))
            first.set_ylabel(framework)
    axes[0][0].set_title("selfie")
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for axis, name in zip(courses.subplots(1, 2), ("D_loss", "G_loss"), strict=True):
        for index, norm in enumerate(DECODER_NORMS):
            for framework, line in zip(FRAMEWORKS, ("-", "--"), strict=True):
                values = smooth(losses[framework, norm][name][:steps])
                axis.plot(np.arange(1, steps + 1), values, line, color=f"C{index}", linewidth=1.2,
                          label=TITLES[norm] if framework == "torch" else None)
        axis.set(title=f"{name}, mean of 15 steps; dashed: paddle", xlabel="step", yscale="log")
        axis.grid(alpha=0.3)
        axis.legend()
    with Staging(Path(out).parent) as stage:
        figure.savefig(stage.path(Path(out).name), dpi=70, format="png")
    pyplot.close(figure)
    return steps


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
    click.echo(f"{out}: {draw(data, work, out)} steps")


if __name__ == "__main__":
    main()
