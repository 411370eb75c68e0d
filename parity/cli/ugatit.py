"""The commands of the first pair, U-GAT-IT: check, demo, explain, faults, campaign, train, translate, evaluate."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

import click

from parity.cli import output
from parity.cli.compare import run
from parity.cli.exits import exit_code
from parity.cli.explain import of_pair
from parity.cli.options import (
    QUICK,
    REPORTS,
    RUNS,
    SEED,
    VERDICT,
    Modes,
    Reports,
    Runs,
    Where,
    given,
    grouped,
    lanes_of,
    modes,
    where,
)
from parity.cli.ugatit_evaluate import evaluate
from parity.cli.ugatit_options import PROGRAMS, Inputs, Programs, inputs, refuse_for_pair


class WithTrainer(click.Group):
    """The trainer's commands are named in --help, and imported when they are called."""

    TRAINER = {"train": "Train U-GAT-IT with torch or with Paddle, from a folder of pictures.",
               "translate": "Translate pictures with a trained generator."}

    def list_commands(self, context: click.Context) -> list[str]:
        return [*super().list_commands(context), *self.TRAINER]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in self.TRAINER:
            return click.Command(name, short_help=self.TRAINER[name])
        return super().get_command(context, name)

    def resolve_command(self, context: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(context, args)
        if name in self.TRAINER:
            command = getattr(importlib.import_module("parity.ugatit.trainer.cli"), name)
        return name, command, rest


@click.command()
@inputs("Pictures of each domain, in one batch.")
@where("both")
@modes(True, train="Compare in train mode (discriminators: five forwards in a row).")
@PROGRAMS
@QUICK
@VERDICT
def check(inputs: Inputs, where: Where, modes: Modes, programs: Programs, quick: bool, reports: Reports) -> int:
    """Compare every module and network with its twin: forward, losses, gradients, state.

    Without options: seeded weights and generated pictures, modules alone, both generators, both discriminators.

    \b
    Examples:
      parity check
      parity check --only 'AdaLIN' --lane float64
      parity check --decoder-norm gn --no-cam
      parity check --checkpoint model.pt --images selfie2anime --html report.html
    """
    wanted = modes.of(())
    output.check_outputs(reports)
    summary = run(inputs.cases(programs, wanted), where, quick=quick, silent=reports.quiet)
    output.publish(summary, reports, inputs.hashes())
    return exit_code(summary)


@click.command()
@click.option("--checkpoint", metavar="FILE.pt", help="Official checkpoint. Default: one is made from seeded weights.")
@click.option("--images", metavar="DIR", help="Folder of pictures. Default: some are drawn.")
@click.option("--size", type=click.IntRange(min=4), metavar="PIXELS",
              help="Side of the pictures. Default: the checkpoint's own, else 128.")
@click.option("--seed", type=SEED, metavar="N", default=0, show_default=True)
@click.option("--out", metavar="DIR", default="demo_out", show_default=True, help="Folder for everything that the demo makes.")
def demo(checkpoint: str | None, images: str | None, size: int | None, seed: int, out: str) -> int:
    """Convert a checkpoint, run both programs on pictures, and say whether they are the same.

    Writes into DIR: the converted files with their receipt, pictures.png (both translations, their difference, the
    attention), report.html and report.json.

    \b
    Examples:
      parity demo
      parity demo --checkpoint model.pt --images selfie2anime --out demo_out
    """
    from parity.ugatit import demo as showing
    console = output.console(err=False)
    prepared = showing.prepare(console, out, checkpoint=checkpoint, images=images, size=size, seed=seed)
    from parity.report import terminal
    summary = run(prepared.cases(), Where("both", "cpu"))
    terminal.show(console, summary)
    prepared.write(console, summary)
    return exit_code(summary)


@click.command()
@click.option("--pair", metavar="FILE", help="Explain a pair of your own (file.py or file.py:name) instead.")
@click.option("--budget", type=click.FloatRange(min=1), default=240.0, show_default=True, metavar="SECONDS",
              help="With --pair: how long to look for the lines.")
@click.option("--thorough", is_flag=True, help="The whole catalogue of faults, and each of the nine over the long run.")
@click.option("--fault", "names", multiple=True, metavar="NAME", help="Explain this fault instead of the nine. May be repeated.")
@click.option("--steps", "count", type=click.IntRange(min=1), metavar="N", default=10, show_default=True,
              help="Steps of each fault's training; with --pair 5, and of the training that it declares.")
@click.option("--long-steps", "long", type=click.IntRange(min=1), metavar="N", default=100, show_default=True,
              help="Steps of the training in which the symptom shows.")
@RUNS
@REPORTS
@click.pass_context
def explain(context: click.Context, pair: str | None, budget: float, thorough: bool, names: tuple[str, ...], count: int, long: int,
            runs: Runs, reports: Reports) -> int:
    """Why does a port differ, and which of its lines does what to the training?

    With --pair: lines of the twin are looked for that are wrong, and righted by what the reference's statement says; then each
    alone, all but each, and all, each twin in a process of its own. What each line does to the losses, beside what rounding does,
    which does harm and which hides another.

    Without: why did the 2020 Paddle port of U-GAT-IT diverge, and why did its loss not fall? Puts the port's nine faults into the
    twin, alone, all but each, in pairs and together, trains each from the weights and pictures with which the real port was
    recorded, and measures what each does.

    Exit code 1: the divergence that is explained; 0: there is none.

    \b
    Examples:
      parity explain --pair my_pair.py --html why.html
      parity explain
      parity explain --html port2020.html --json port2020.json --work runs/
      parity explain --fault gmp_G --fault sn_dim --long-steps 20
    """
    output.check_outputs(reports)
    if pair:
        refuse_for_pair(context, pair, ("thorough", "names", "long", "work_path", "workers", "scheduler"))
        return of_pair(pair, count if given(context, "count") else None, budget, reports)
    if given(context, "budget"):
        raise click.UsageError("--budget is for --pair: how long to look for the lines of a port of your own")
    from parity.campaign.runs import on_dask
    from parity.ugatit import explain as explaining
    scope = explaining.scope(names, thorough=thorough, steps=count, long_steps=long)
    with on_dask(runs.scheduler), output.progress() as bar:
        explanation = explaining.explain(scope, runs.work_path, runs.workers, output.counting(bar))
    from parity.ugatit.explain.report import page, text
    output.publish_html(reports, lambda: page.to_html(explanation))
    output.publish_json(reports, lambda: page.to_json(explanation))
    text.show(output.console(err=reports.json_path == "-"), explanation)
    return exit_code(explanation)


@click.command()
@click.option("--json", "json_path", metavar="FILE", help="Write the list as JSON; - for standard output.")
def faults(json_path: str | None) -> None:
    """List the known bugs that `parity steps --fault NAME` can put into the twin.

    \b
    Examples:
      parity faults
      parity faults --json -
    """
    reports = Reports(json_path, None)
    output.check_outputs(reports)
    from parity.ugatit.faults import CATALOGUE, listing
    if json_path != "-":
        listing.show(output.console(err=False), CATALOGUE.values())
    output.publish_json(reports, lambda: listing.to_json(CATALOGUE.values()))


@dataclass(frozen=True)
class Sizes:
    """Of the networks that a campaign tries, each of these."""

    models: tuple[str, ...]
    ngf: tuple[int, ...]
    ndf: tuple[int, ...]
    n_blocks: tuple[int, ...]
    size: tuple[int, ...]

    def given(self) -> dict[str, tuple]:
        """As `trials.configurations` takes them: only those that were said."""
        sizes = {"ngf": self.ngf, "ndf": self.ndf, "n_blocks": self.n_blocks, "img_size": self.size,
                 "light": tuple(model == "light" for model in self.models)}
        return {name: values for name, values in sizes.items() if values}


SIZES = grouped(
    "sizes", Sizes,
    click.option("--model", "models", type=click.Choice(["light", "full"]), multiple=True,
                  help="The generators. May be repeated.  [default: light]"),
    click.option("--ngf", type=click.IntRange(min=1), multiple=True, metavar="N",
                  help="Width of the generators. May be repeated, as the other sizes.  [default: the exam's, 4; trainings 2]"),
    click.option("--ndf", type=click.IntRange(min=1), multiple=True, metavar="N",
                  help="Width of the discriminators.  [default: the exam's, 4; trainings 1]"),
    click.option("--n-blocks", type=click.IntRange(min=1), multiple=True, metavar="N",
                  help="Residual blocks.  [default: the exam's, 2; trainings 1]"),
    click.option("--size", type=click.IntRange(min=4), multiple=True, metavar="PIXELS",
                  help="Side of the pictures.  [default: the exam's, 32; trainings 96]"),
)


@click.command()
@click.option("--fault", "names", multiple=True, metavar="NAME", help="This fault only. May be repeated.  [default: the catalogue]")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", default=2, show_default=True, help="So many, from --seed on.")
@click.option("--seed", type=SEED, metavar="N", default=0, show_default=True, help="The first.")
@click.option("--mode", "modes", type=click.Choice(["check", "free", "resync"]), multiple=True, default=("check", "free"),
              show_default=True, help="check: modules and networks. free, resync: trainings. May be repeated.")
@click.option("--lane", type=click.Choice(["float64", "float32", "both"]), default="float64", show_default=True)
@SIZES
@RUNS
@REPORTS
def campaign(names: tuple[str, ...], seeds: int, seed: int, modes: tuple[str, ...], lane: str, sizes: Sizes, runs: Runs,
             reports: Reports) -> int:
    """Are the known bugs found whatever the seed and the sizes? Faults x seeds x configurations, in parallel.

    Each fault of `parity faults` is put into the twin, alone, under every seed and configuration in which it can act, and must be
    found at its place; each healthy twin beside it must pass. Exit codes: 0 all of that, 1 something missed, misplaced or a
    false alarm, 2 bad input, or runs without a result.

    \b
    Examples:
      parity campaign --fault iln_eps --fault gmp_G --seeds 5
      parity campaign --mode check --model light --model full --seeds 3 --html campaign.html
      parity campaign --seeds 20 --work runs/ --scheduler tcp://10.0.0.1:8786
    """
    output.check_outputs(reports)
    from parity.campaign import runs as campaigning
    from parity.ugatit.faults import tally, trials
    from parity.ugatit.training import known
    chosen = trials.configurations(modes, lanes_of(lane), sizes.given())
    plan = trials.plan(known(names), range(seed, seed + seeds), chosen)
    with campaigning.on_dask(runs.scheduler), output.progress() as bar:
        told = output.counting(bar)
        told(len(plan), "")
        outcomes = campaigning.run(
            plan, trials.do, folder=Path(runs.work_path) if runs.work_path else None, workers=runs.workers,
            progress=lambda task, outcome, kept: told(len(plan), f"{task['name']}, seed {task['seed']}, {trials.where(task)}"))
    found = tally.Tally(plan, outcomes.values())
    output.publish_html(reports, found.to_html)
    output.publish_json(reports, found.to_json)
    found.show(output.console(err=reports.json_path == "-"))
    return found.exit_code


COMMANDS = (check, demo, explain, faults, campaign, evaluate)
