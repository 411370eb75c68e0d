"""How the cost of a compare grows with the program: the picture of docs/cost.md.

    python -m benchmarks.scale --out docs/images/scale.png [--json scale.json]

Three sweeps, float64, one thread. Layers: a U-GAT-IT generator (light, 8 channels, 96 pixels, train mode) with more and more
residual blocks. Bytes: the same with 4 blocks and larger and larger pictures. Each of them: processor time of a plain forward and
backward of both programs and of one pass that compares them (`benchmarks.cost` says how they are measured), and the peak memory of
building and running both, plainly and compared, in fresh processes. Steps: `parity steps` over more and more training steps (8 and
4 channels, 2 blocks, 96 pixels), wall seconds and peak anonymous memory of the process.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from matplotlib.figure import Figure

from benchmarks.cost import peak_of, seconds_of
from benchmarks.memory import apart
from benchmarks.steps_memory import peak_of as peak_of_command
from parity.steps.picture import REFERENCE, TWIN, dress

LAYERS, SIZES, STEPS = (1, 4, 8, 16), (64, 128, 192, 256), (1, 2, 4, 6)
GENERATOR = {"ngf": 8, "n_blocks": 4, "img_size": 96, "light": True, "training": True}
TRAINING = ("--ngf", "8", "--ndf", "4", "--n-blocks", "2", "--size", "96", "--light", "--lane", "float64", "--draws", "3")
Point = dict[str, float]  # "x", "seconds", "mib", and of a generator also "plain_seconds", "plain_mib"


def generator(x: float, rounds: int, **sizes: Any) -> Point:
    spec = {**GENERATOR, **sizes}
    seconds = {name: statistics.median(times) for name, times in seconds_of(spec, "float64", rounds).items()}
    plain, compared = (apart(peak_of, spec, "float64", variant) / 2**20 for variant in ("plain", "compare"))
    return {"x": x, "plain_seconds": seconds["plain"], "seconds": seconds["pass"], "plain_mib": plain, "mib": compared}


def layers(n_blocks: int) -> int:
    """Modules in the reference that compute something themselves."""
    import torch_ref
    net = torch_ref.ResnetGenerator(3, 3, n_blocks=n_blocks, **{name: GENERATOR[name] for name in ("ngf", "img_size", "light")})
    return sum(not list(module.children()) for module in net.modules())


def training(steps: int) -> Point:
    peak, seconds = peak_of_command([sys.executable, "-m", "parity", "steps", "--steps", str(steps), *TRAINING])
    return {"x": steps, "seconds": seconds, "mib": peak / 2**20}


def draw(sweeps: Mapping[str, Sequence[Point]]) -> Figure:
    """One column for each sweep: time above, memory below."""
    figure = Figure(figsize=(11, 5.6), dpi=110, facecolor="white", layout="constrained")
    rows = figure.subplots(2, len(sweeps))
    for column, (title, points) in enumerate(sweeps.items()):
        for axes, unit, what in zip(rows[:, column], ("seconds", "mib"), ("seconds", "MiB at most"), strict=True):
            for name, colour, label in ((f"plain_{unit}", REFERENCE, "both programs, plainly"), (unit, TWIN, "compared")):
                if name in points[0]:
                    axes.plot([point["x"] for point in points], [point[name] for point in points], "o-", color=colour, lw=1.6,
                              ms=4.5, label=label if "plain_mib" in points[0] else "parity steps")
            axes.set_ylim(bottom=0)
            axes.set_xlim(left=0)
            axes.set_ylabel(what)
            dress(axes)
        rows[1, column].set_xlabel(title)
        rows[0, column].legend(frameon=False, fontsize=8)
    return figure


@click.command(help=__doc__.partition("\n")[0], context_settings={"show_default": True})
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PNG.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="The figures.")
@click.option("--rounds", default=2)
def main(out: Path, json_path: Path | None, rounds: int) -> None:
    sweeps: dict[str, list[Point]] = {
        "training steps": [training(steps) for steps in STEPS],
        "layers of the generator": [generator(layers(n), rounds, n_blocks=n) for n in LAYERS],
        "MB of the generator's first feature map": [generator(size**2 * GENERATOR["ngf"] * 8 / 1e6, rounds, img_size=size)
                                                    for size in SIZES]}
    if json_path:
        json_path.write_text(json.dumps(sweeps, indent=1))
    draw(sweeps).savefig(out)
    for title, points in sweeps.items():
        click.echo(title)
        for point in points:
            click.echo("  " + "  ".join(f"{name} {value:.4g}" for name, value in point.items()))


if __name__ == "__main__":
    main()
