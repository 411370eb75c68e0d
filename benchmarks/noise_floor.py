"""The picture of docs/noise-floor.md: the values of one forward, what rounding does to them, a healthy twin, two faults.

    python -m benchmarks.noise_floor --out docs/images/noise_floor.png

The light generator, eval mode, float64. Each value that both sides bind on a line or return from a layer is one place on the
horizontal axis, in the order of execution; distances and floors are divided by the value's largest magnitude.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure

from parity.compare.ladder import Both
from parity.numbers.noise import M
from parity.steps.picture import BAD, INK, NOISE, REFERENCE, TWIN, dress
from parity.trace.events import Key
from parity.ugatit import faults
from parity.ugatit import subjects as ugatit
from parity.verdict.sinks import Against, Store

ZERO = 1e-18  # where equality to the bit is shown: a log axis has no place for it
FAULTS = {"iln_eps": TWIN, "gmp_G": BAD}


def measured(*names: str) -> dict[Key, tuple[float, float, float]]:
    """Forward value -> (noise floor, distance of the twin with these faults, largest magnitude of the reference)."""
    with faults.inject(*names):
        both = Both(ugatit.exam_subject("genA2B_eval", 0), "cpu")
        truth = Store()
        both.reference("float64", truth)
        floors = both.floors("float64", truth)
        against = Against(truth, floors, M)
        failure = both.twin("float64", against)
    if failure is not None:
        raise failure
    return {key: (floors[key], against.matched[key][1].distance, against.matched[key][1].scale) for key in truth.events
            if key.stage == "forward" and key in against.matched and against.matched[key][1].scale}


def draw(runs: Sequence[tuple[str, str, dict[Key, tuple[float, float, float]]]]) -> Figure:
    """runs: title, colour, values; floors are taken from the first."""
    floors = np.array([floor / scale for floor, _, scale in runs[0][2].values()])
    place = {key: number for number, key in enumerate(runs[0][2])}
    figure = Figure(figsize=(10.5, 4.6), dpi=110, facecolor="white", layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(floors))
    axes.fill_between(places, ZERO / 3, floors, color=NOISE, alpha=0.85, lw=0, label="what rounding alone does: the noise floor")
    axes.fill_between(places, floors, M * floors, color=NOISE, alpha=0.35, lw=0, label=f"up to {M:g} floors: noise")
    for title, colour, values in runs:
        shown = {key: distance / scale for key, (floor, distance, scale) in values.items()
                 if key in place and (colour == REFERENCE or distance > M * floor)}  # elsewhere a fault lies upon the healthy twin
        at, apart = np.array([place[key] for key in shown]), np.array([*shown.values()])
        axes.plot(at, np.maximum(apart, ZERO), ls="", marker="o", ms=2.6, color=colour, label=title)
    axes.set_yscale("log")
    axes.set_ylim(ZERO / 3, 10)
    axes.set_xlim(-2, len(floors) + 1)
    axes.set_xlabel("values of the forward, in the order of execution")
    axes.set_ylabel("distance, relative (lowest row: equal to the bit)")
    dress(axes)
    figure.legend(loc="outside lower center", ncol=3, frameon=False, fontsize=9, labelcolor=INK)
    return figure


@click.command(help=__doc__)
@click.option("--out", type=click.Path(path_type=Path), default=Path("noise_floor.png"), show_default=True)
def main(out: Path) -> None:
    runs = [("healthy twin", REFERENCE, measured())]
    runs += [(f"twin with the fault {name}: values above", colour, measured(name)) for name, colour in FAULTS.items()]
    draw(runs).savefig(out)
    for title, _, values in runs:
        multiples = sorted(distance / floor for floor, distance, _ in values.values())
        beyond = [multiple for multiple in multiples if multiple > M]
        click.echo(f"{title}: {len(values)} values, {len(beyond)} above {M:g} floors; largest {multiples[-1]:.2g} floors"
                   + (f", smallest of those above {beyond[0]:.2g}" if beyond else ""))
    floors = sorted(floor / scale for floor, _, scale in runs[0][2].values())
    click.echo(f"floors, relative: {floors[0]:.1g} to {floors[-1]:.1g}, median {floors[len(floors) // 2]:.1g}")


if __name__ == "__main__":
    main()
