"""`parity steps`: two trainings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click

import parity
from parity.cli import output
from parity.cli.exits import SAME, exit_code
from parity.cli.options import VERDICT, Reports, Where, given, grouped, where
from parity.cli.ugatit_options import SIZES, Inputs, Sizes, injected, inputs, refuse_for_pair


@dataclass(frozen=True)
class Run:
    """How both are followed."""

    steps: int
    mode: str
    draws: int
    floor_every: int


RUN = grouped(
    "run", Run,
    click.option("--steps", type=click.IntRange(min=1), metavar="N", default=10, show_default=True,
                  help="So many steps; fewer where they diverge: three after the first divergence."),
    click.option("--mode", type=click.Choice(["free", "resync"]), default="free", show_default=True,
                  help="free: each side goes its own way. resync: the twin starts each step from the reference's state."),
    click.option("--draws", type=click.IntRange(min=3), metavar="K", default=3, show_default=True,
                  help="Runs of the reference that measure what rounding alone does."),
    click.option("--floor-every", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
                  help="With --mode resync: measure rounding at every N-th step only."),
)


@dataclass(frozen=True)
class Stored:
    """One side today, the other one another day."""

    record_path: str | None
    against_path: str | None


STORED = grouped(
    "stored", Stored,
    click.option("--record", "record_path", metavar="DIR",
                  help="Run the reference alone and write its steps into this empty folder; nothing is compared."),
    click.option("--against", "against_path", metavar="DIR",
                  help="Run the twin alone, against such a folder, recorded with the same sizes, seed and pictures."),
)


@click.command()
@click.argument("pair", metavar="[PAIR]", required=False)
@inputs("Pictures of each domain, at each step.")
@SIZES
@RUN
@click.option("--iteration", type=click.IntRange(min=2), metavar="N", default=1_000_000, show_default=True,
              help="Length of the whole training; over its second half the learning rate falls.")
@click.option("--fault", "names", multiple=True, metavar="NAME",
              help="Put a known bug into the twin, to see what it looks like (parity faults). May be repeated.")
@where("float64")
@VERDICT
@click.option("--plot", "plot_path", metavar="FILE.png", help="Draw the losses, and their difference beside rounding.")
@STORED
@click.pass_context
def steps(context: click.Context, pair: str | None, inputs: Inputs, sizes: Sizes, run: Run, iteration: int,
          names: tuple[str, ...], where: Where, reports: Reports, plot_path: str | None, stored: Stored) -> int:
    """Train both sides step by step from the same weights and pictures: at which step, stage and line do they part?

    Each step is compared whole: batch, every line and layer, losses, gradients, updates, moments, learning rate, state.
    Small differences grow in training; copies of the reference that start one rounding away show how fast.

    PAIR is a file that declares a training of your own (`parity init` writes one), or file.py:name; without it U-GAT-IT is
    trained. Options of pictures, sizes and faults are U-GAT-IT's.

    \b
    Examples:
      parity steps
      parity steps my_pair.py --steps 5
      parity steps --checkpoint model.pt --images selfie2anime --steps 5 --html steps.html
      parity steps --steps 3 --fault D_gradients_not_cleared --plot fault.png
      parity steps --record day1; parity steps --against day1
    """
    if stored.record_path and stored.against_path:
        raise click.UsageError("--record and --against: one at a time; record first, then compare")
    if stored.record_path and where.lane == "both":
        raise click.UsageError("--record takes one lane; choose --lane float64 or float32")
    if pair:
        refuse_for_pair(context, pair, ("checkpoint", "images", "size", "batch", "ngf", "ndf", "n_blocks", "light", "decoder_norm",
                                        "cam", "iteration", "names"))
    output.check_outputs(reports, plot_path)
    if pair:
        from parity.declare import port
        training = port.training(pair, seed=inputs.seed if given(context, "seed") else None, device=where.device)
        return _follow(training, run, where, reports, plot_path, stored)
    training = inputs.training(sizes, iteration=iteration, device=where.device)
    with injected(names):  # until all is written: reports show the lines of the faulty twin
        return _follow(training, run, where, reports, plot_path, stored, names)


def _follow(training: Any, run: Run, where: Where, reports: Reports, plot_path: str | None, stored: Stored,
            faults: tuple[str, ...] = ()) -> int:
    if stored.record_path:
        parity.record(training, stored.record_path, **asdict(run), lane=where.lane)
        output.console(err=False).print(f"{run.steps} steps of the reference are in {stored.record_path}", soft_wrap=True)
        return SAME
    with output.progress(quiet=reports.quiet) as bar:  # its unit is a step: how often it is made again, nobody knows before
        task = bar.add_task("building", total=len(where.lanes) * run.steps)

        def told(lane: str, step: int, what: str, losses: Mapping[str, float]) -> None:
            numbers = "".join(f"  {name} {value:.6g}" for name, value in losses.items())
            bar.update(task, description=f"{lane}, step {step}: {what}{numbers}",
                       completed=where.lanes.index(lane) * run.steps + step - 1)

        summary = parity.follow(training, **asdict(run), lanes=where.lanes, against=stored.against_path, progress=told)
    summary.faults = faults
    summary.circumstances = output.circumstances()
    _publish(summary, reports, plot_path)
    return exit_code(summary)


def _publish(summary: Any, reports: Reports, plot_path: str | None) -> None:
    from parity.files import write
    from parity.report import words
    from parity.steps import picture, report
    if plot_path:
        write(plot_path, picture.draw(summary))
    output.publish_html(reports, lambda: report.to_html(summary, picture.drawings(summary)))
    output.publish_json(reports, lambda: report.to_json(summary))
    output.publish_problems(reports, report.checked(summary), words.versions())
    output.tell(reports, summary, report.show)
