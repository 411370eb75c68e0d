"""The systems of the table after a short training in both frameworks: KID of what they make of selfies, beside its noise.

    python -m benchmarks.systems --data ../shared/data/selfie2anime_mini

Small networks, the same weights, pictures and random numbers on both sides. What rounding alone does is measured by PyTorch,
trained once more from weights one unit in the last place beside.
"""

import importlib
import tempfile
from pathlib import Path

import click
import numpy as np

from parity import Training, uniform
from parity.steps.programs import Programs
from parity.steps.state import moved
from parity.trace.randomness import Tape
from parity.ugatit.evaluation.evaluate import Sets, evaluate
from parity.ugatit.trainer import find_images, read_image, test_array, to_image
from parity.verdict.sinks import Nowhere

SIZE = 64
CYCLE = {"ngf": 8, "n_blocks": 2, "ndf": 8, "n_layers": 2, "pool_size": 50}
CODES = {"dim": 8, "n_downsample": 2, "n_res": 2, "dis_dim": 8, "n_layer": 3, "num_scales": 2}
SIZES = {"cyclegan": CYCLE, "attentiongan": CYCLE, "munit": {**CODES, "style_dim": 8, "mlp_dim": 32}, "unit": CODES,
         "drit": {"dim": 8, "n_scale": 2, "n_layer": 2, "content_layer": 1}}
SUBSETS = {"subsets": 100, "subset_size": 8}


def cyclegan(networks, picture, code):
    return networks["netG_A"](picture)


def attentiongan(networks, picture, code):
    return networks["netG_A"](picture)[0]


def munit(networks, picture, code):
    content, _ = networks["gen_a"].encode(picture)
    return networks["gen_b"].decode(content, code.reshape([1, -1, 1, 1]))


def unit(networks, picture, code):
    hiddens, _ = networks["gen_a"].encode(picture)
    return networks["gen_b"].decode(hiddens)


def drit(networks, picture, code):
    content, _ = networks["enc_c"](picture, picture)
    return networks["gen"].forward_b(content, code)


TRANSLATE = {translate.__name__: translate for translate in (cyclegan, attentiongan, munit, unit, drit)}


def programs(system, lane):
    """Both training programs of a system, in float32 or float64."""
    reference, twin = (importlib.import_module(f"{package}.systems.{system}") for package in ("torch_ref", "paddle_impl"))
    pictures = uniform(2, 3, SIZE, SIZE, low=-1, high=1)
    training = Training(lambda: reference.Training(**SIZES[system]), lambda: twin.Training(**SIZES[system]),
                        batch=[pictures, pictures], own_start=True)
    return Programs(training.subject(), lane)


def train(both, side, start, domains, steps, tapes):
    """Train one side from `start`, a state of its own names, by two pictures of each domain in turn: DRIT takes two apart.
    tapes: step -> its random numbers, which the first training draws."""
    both.load(side, start)
    names = list(both.batch(1))
    for step in range(1, steps + 1):
        both.go_by(step, tapes[step])
        pair = [np.concatenate([pictures[(2 * step + one) % len(pictures)] for one in (0, 1)]) for pictures in domains]
        losses = both.step(side, step, dict(zip(names, pair, strict=True)), Nowhere(), bare=True)
        if not all(map(np.isfinite, losses.values())):
            raise click.ClickException(f"step {step}: a loss is no number")


def translations(both, side, system, pictures):
    """Of each picture (1, 3, S, S); the codes of MUNIT and DRIT are drawn here, once for both frameworks."""
    framework, networks = both.frameworks[side], both.programs[side].networks
    codes = np.random.default_rng(0).standard_normal((len(pictures), 1, 8)).astype(pictures[0].dtype)
    for network in networks.values():
        network.eval()
    try:
        return [framework.array(TRANSLATE[system](networks, framework.tensor(picture), framework.tensor(code)), copy=True)
                for picture, code in zip(pictures, codes, strict=True)]
    finally:
        for network in networks.values():
            network.train()


def kid(framework, made, real, seed=2020):
    """(KID x 100, its deviation over subsets) by one framework. made: arrays (1, 3, S, S) in [-1, 1]; real: files of pictures."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.png" for number in range(len(made))]
        for file, array in zip(files, made, strict=True):
            to_image(array[0]).save(file)
        found = evaluate(framework, Sets(real, files, "real", "translated"), seed=seed, **SUBSETS)
    return 100 * found.kid_mean, 100 * found.kid_deviation


def sit(system, data, steps, lane):
    """A row of the table."""
    both = programs(system, lane)
    files = {domain: find_images(Path(data) / domain) for domain in ("trainA", "trainB")}
    domains = [[test_array(read_image(file), SIZE)[None].astype(lane) for file in found] for found in files.values()]
    tapes = {step: Tape(both.subject.seed, step) for step in range(1, steps + 1)}
    made = []
    for side, start in ((0, both.start), (0, moved(both.start, "systems")), (1, both.for_twin(both.start))):
        train(both, side, start, domains, steps, tapes)
        made.append(translations(both, side, system, domains[0]))
    (torch, spread), (beside, _), (paddle, _) = (
        kid(framework, pictures, files["trainB"]) for framework, pictures in zip(("torch", "torch", "paddle"), made, strict=True))
    other, _ = kid("torch", made[0], files["trainB"], seed=1)
    apart = [255 / 2 * np.mean(np.abs(np.subtract(made[0], one))) for one in (made[1], made[2])]
    return (system, f"{torch:.4f} ± {spread:.2f}", f"{paddle:.4f}", f"{beside:.4f}", f"{other:.4f}", f"{apart[1]:.3g}",
            f"{apart[0]:.3g}")


@click.command()
@click.option("--data", metavar="DIR", required=True, help="Folder with trainA and trainB.")
@click.option("--steps", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--lane", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@click.option("--system", "systems", multiple=True, type=click.Choice(list(SIZES)), default=list(SIZES))
def main(data, steps, lane, systems):
    """Train each system three times, and print the table."""
    click.echo("| system | KID x 100, torch | Paddle | torch, one ulp beside | torch, other subsets | pictures, Paddle to torch "
               "| pictures, torch to one ulp beside |")
    click.echo("|---|---|---|---|---|---|---|")
    for system in systems:
        click.echo(f"| {' | '.join(sit(system, data, steps, lane))} |")


if __name__ == "__main__":
    main()
