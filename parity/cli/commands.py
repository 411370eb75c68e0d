"""The command `parity`. Exit codes: 0 same / no finding, 1 diverged / finding, 2 bad input or usage (nothing compared too)."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

# Frameworks are imported inside the commands: --help and usage errors must not wait for them.

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143


class _Terminated(BaseException):
    """SIGTERM, as an exception: so that nothing half done is left."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `parity` with these arguments (the process's own without any) and return the exit code."""
    try:
        code = cli.main(args=None if argv is None else list(argv), prog_name="parity", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except _Terminated:
        click.echo("terminated", err=True)
        return TERMINATED
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except Exception as error:
        if _is_bad_input(error):
            click.echo(f"parity: {error}", err=True)
        else:  # never exit code 1: that would read as a verdict
            traceback.print_exc()
            click.echo("parity: this is a fault of parity itself, no verdict; please report it with the lines above", err=True)
        return BAD_INPUT
    return code if isinstance(code, int) else 0


def entry() -> None:
    """The installed script."""
    sys.exit(main())


def _is_bad_input(error: Exception) -> bool:
    from parity.files import InputError
    if isinstance(error, InputError):
        return True
    if "parity.verdict.findings" not in sys.modules and "weights_convert" not in sys.modules:
        return False
    from parity.frameworks import FrameworkError
    from parity.verdict.findings import NothingCompared
    if "weights_convert" not in sys.modules:
        return isinstance(error, (FrameworkError, NothingCompared))
    from weights_convert import ConversionError
    return isinstance(error, (ConversionError, FrameworkError, NothingCompared))


def _options(*decorators: Callable) -> Callable:
    """Several options as one decorator, in the order of the help page."""
    def decorate(command: Callable) -> Callable:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command
    return decorate


_INPUTS = _options(
    click.option("--checkpoint", metavar="FILE.pt",
                 help="Official checkpoint: compare its six networks, with its sizes and weights."),
    click.option("--images", metavar="DIR",
                 help="Folder of pictures; testA and testB (or trainA and trainB) in it are the two domains."),
    click.option("--size", type=click.IntRange(min=4), metavar="PIXELS",
                 help="Side of the pictures. Default: the checkpoint's own, else 96."),
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, show_default=True,
                 help="Of the weights, generated pictures, probes and noise draws."),
)


def _lanes(default: str) -> Callable:
    return _options(
        click.option("--lane", type=click.Choice(["float64", "float32", "both"]), default=default, show_default=True,
                     help="float64: the same computation? float32: as accurate as the reference?"),
        click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True),
    )


_REPORTS = _options(
    click.option("--json", "json_path", metavar="FILE", help="Write the report as JSON; - for standard output."),
    click.option("--html", "html_path", metavar="FILE", help="Write the report as one HTML page."),
)


_RUNS = _options(
    click.option("--work", "work_path", metavar="DIR",
                 help="Keep the results of all runs here, and pick up from it what is there."),
    click.option("--workers", type=click.IntRange(min=1), metavar="N",
                 help="Runs at a time, one thread each.  [default: the cores, or what the cluster has]"),
    click.option("--scheduler", metavar="ADDRESS", envvar="DASK_SCHEDULER_ADDRESS", show_envvar=True,
                 help="Make the runs on the workers of this Dask scheduler (tcp://host:8786)."),
)


class _Commands(click.Group):
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


_QUICK = click.option("--quick", is_flag=True,
                      help="One pass in float64 first; the whole comparison only where that does not settle it.")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

    Exit codes: 0 same, 1 diverged, 2 bad input or usage.

    \b
    Examples:
      parity demo
      parity check
      parity convert model.pt converted/
      parity steps --steps 10 --html steps.html
      parity explain --html port2020.html
    """


@cli.command()
@_INPUTS
@click.option("--batch", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
              help="Pictures of each domain, in one batch.")
@_lanes("both")
@click.option("--eval/--no-eval", "in_eval", default=True, help="Compare in eval mode.")
@click.option("--train/--no-train", "in_train", default=True,
              help="Compare in train mode (discriminators: five forwards in a row).")
@click.option("--modules/--no-modules", default=True, help="Every module alone, before the networks.")
@click.option("--only", multiple=True, metavar="NAME", help="Only programs of this name; * and ? match. May be repeated.")
@_QUICK
@_REPORTS
def check(checkpoint: str | None, images: str | None, size: int | None, seed: int, batch: int, lane: str, device: str,
          in_eval: bool, in_train: bool, modules: bool, only: tuple[str, ...], quick: bool, json_path: str | None,
          html_path: str | None) -> int:
    """Compare every module and network with its twin: forward, losses, gradients, state.

    Without options: seeded weights and generated pictures, modules alone, both generators, both discriminators.

    \b
    Examples:
      parity check
      parity check --only 'AdaLIN' --lane float64
      parity check --checkpoint model.pt --images selfie2anime --html report.html
    """
    modes = [mode for mode, wanted in (("eval", in_eval), ("train", in_train)) if wanted]
    if not modes:
        raise click.UsageError("--no-eval and --no-train leave nothing to compare; drop one of them")
    _check_outputs(json_path, html_path)
    _quieten()
    from parity.compare import runner as checking
    from parity.report import report
    weights = checking.Checkpoint.read(checkpoint) if checkpoint else None
    cases = checking.cases(seed=seed, checkpoint=weights, images=images, size=size, batch=batch, modes=modes,
                           modules=modules, only=only)
    summary = report.Summary(_run(cases, lane, device, quick=quick))
    _publish(summary, json_path, html_path)
    return _exit_code(summary)


@cli.command()
@click.argument("pair", metavar="[PAIR]", required=False)
@_INPUTS
@click.option("--batch", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
              help="Pictures of each domain, at each step.")
@click.option("--ngf", type=click.IntRange(min=1), metavar="N", help="Width of the generators, without a checkpoint.  [default: 8]")
@click.option("--ndf", type=click.IntRange(min=1), metavar="N",
              help="Width of the discriminators, without a checkpoint.  [default: 4]")
@click.option("--n-blocks", type=click.IntRange(min=1), metavar="N", help="Residual blocks, without a checkpoint.  [default: 4]")
@click.option("--light/--full", default=None, help="The light generator or the full one.  [default: light]")
@click.option("--steps", "count", type=click.IntRange(min=1), metavar="N", default=10, show_default=True,
              help="So many steps; fewer where they diverge: three after the first divergence.")
@click.option("--mode", type=click.Choice(["free", "resync"]), default="free", show_default=True,
              help="free: each side goes its own way. resync: the twin starts each step from the reference's state.")
@click.option("--iteration", type=click.IntRange(min=2), metavar="N", default=1_000_000, show_default=True,
              help="Length of the whole training; over its second half the learning rate falls.")
@click.option("--draws", type=click.IntRange(min=3), metavar="K", default=3, show_default=True,
              help="Runs of the reference that measure what rounding alone does.")
@click.option("--floor-every", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
              help="With --mode resync: measure rounding at every N-th step only.")
@click.option("--fault", "names", multiple=True, metavar="NAME",
              help="Put a known bug into the twin, to see what it looks like (parity faults). May be repeated.")
@_lanes("float64")
@_REPORTS
@click.option("--plot", "plot_path", metavar="FILE.png", help="Draw the losses, and their difference beside rounding.")
@click.option("--record", "record_path", metavar="DIR",
              help="Run the reference alone and write its steps into this empty folder; nothing is compared.")
@click.option("--against", "against_path", metavar="DIR",
              help="Run the twin alone, against such a folder, recorded with the same sizes, seed and pictures.")
@click.pass_context
def steps(context: click.Context, pair: str | None, checkpoint: str | None, images: str | None, size: int | None, seed: int,
          batch: int, ngf: int | None, ndf: int | None, n_blocks: int | None, light: bool | None, count: int, mode: str,
          iteration: int, draws: int, floor_every: int, names: tuple[str, ...], lane: str, device: str, json_path: str | None,
          html_path: str | None, plot_path: str | None, record_path: str | None, against_path: str | None) -> int:
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
    if record_path and against_path:
        raise click.UsageError("--record and --against: one at a time; record first, then compare")
    if record_path and lane == "both":
        raise click.UsageError("--record takes one lane; choose --lane float64 or float32")
    sizes = {name: value for name, value in (("ngf", ngf), ("ndf", ndf), ("n_blocks", n_blocks), ("light", light))
             if value is not None}
    if checkpoint and sizes:
        raise click.UsageError(f"{', '.join('--' + name.replace('_', '-') for name in sizes)}: the sizes are the checkpoint's; "
                               f"leave this out, or leave --checkpoint out")
    if pair:
        _refuse_for_pair(context, pair, ("checkpoint", "images", "size", "batch", "ngf", "ndf", "n_blocks", "light", "iteration",
                                         "names"))
    _check_outputs(json_path, html_path, plot_path)
    _quieten()
    from parity.compare import runner as checking
    from parity.steps.summary import Summary
    from parity.ugatit import following
    if pair:
        from parity.declare import port
        training = port.training(pair, seed=seed if _given(context, "seed") else None, device=device)
    else:
        weights = checking.Checkpoint.read(checkpoint) if checkpoint else None
        training = following.subject(seed=seed, checkpoint=weights, images=images, size=size, batch=batch, iteration=iteration,
                                     device=device, **sizes)
    if record_path:
        following.record(record_path, training, steps=count, mode=mode, lane=lane, draws=draws, floor_every=floor_every)
        _console(err=False).print(f"{count} steps of the reference are in {record_path}", soft_wrap=True)
        return 0
    if against_path:
        lane, mode, count, recorded = following.recording_of(against_path, training)
    with following.injected(names):  # until all is written: reports show the lines of the faulty twin
        options = {"recorded": recorded} if against_path else {"draws": draws, "floor_every": floor_every}
        followed = _follow(training, lane, steps=count, mode=mode, **options)
        summary = Summary(followed, steps=count, faults=names)
        _publish_steps(summary, json_path, html_path, plot_path)
    return _exit_code(summary)


@cli.command()
@click.option("--thorough", is_flag=True, help="The whole catalogue of faults, and each of the nine over the long run.")
@click.option("--fault", "names", multiple=True, metavar="NAME", help="Explain this fault instead of the nine. May be repeated.")
@click.option("--steps", "count", type=click.IntRange(min=1), metavar="N", default=10, show_default=True,
              help="Steps of each fault's training.")
@click.option("--long-steps", "long", type=click.IntRange(min=1), metavar="N", default=100, show_default=True,
              help="Steps of the training in which the symptom shows.")
@_RUNS
@_REPORTS
def explain(thorough: bool, names: tuple[str, ...], count: int, long: int, work_path: str | None, workers: int | None,
            scheduler: str | None, json_path: str | None, html_path: str | None) -> int:
    """Why did the 2020 Paddle port of U-GAT-IT diverge, and why did its loss not fall?

    Puts the port's nine faults into the twin, alone, all but each, in pairs and together, trains each from the weights and
    pictures with which the real port was recorded, and measures what each does. Exit code 1: the divergence that is explained.

    \b
    Examples:
      parity explain
      parity explain --html port2020.html --json port2020.json --work runs/
      parity explain --fault gmp_G --fault sn_dim --long-steps 20
    """
    _check_outputs(json_path, html_path)
    _quieten()
    from parity.campaign.runs import on_dask
    from parity.ugatit import explain as explaining
    scope = explaining.scope(names, thorough=thorough, steps=count, long_steps=long)
    with on_dask(scheduler), _progress() as bar:
        explanation = explaining.explain(scope, work_path, workers, _counting(bar))
    _publish_explanation(explanation, json_path, html_path)
    return _exit_code(explanation)


@cli.command("doctor")
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option("--iterations", type=click.IntRange(min=1), metavar="N", default=20, show_default=True,
              help="Training steps to watch; three where an error is found by then.")
@click.option("--expect", multiple=True, metavar="ID", help="A finding that is meant: its id, or id:what. May be repeated.")
@click.option("--repeat/--no-repeat", default=True, show_default=True,
              help="Run a later iteration that shows a NaN a second time, for its line; holds a copy of the training's state.")
@_REPORTS
def diagnose(target: str, iterations: int, expect: tuple[str, ...], repeat: bool, json_path: str | None,
             html_path: str | None) -> int:
    """Why does my loss not go down? Watch a few steps of a Paddle or torch training, and say what is wrong with it.

    FUNCTION runs one training step and takes no arguments, or builds everything and returns such a function. Networks and
    optimizers are found in its reach (globals, closure, attributes of its object). Nothing of the training is changed.
    It may also declare a training of both sides (my_pair.py:pair): then the twin is held beside its reference, too.

    Exit codes: 0 no finding (what is merely unusual is shown, and does not count), 1 finding, 2 bad input.

    \b
    Examples:
      parity doctor train:step
      parity doctor train:build --iterations 5 --html doctor.html
      parity doctor train:step --expect frozen-network:teacher
      parity doctor my_pair.py:pair
    """
    _check_outputs(json_path, html_path)
    _quieten()
    from parity.doctor import report
    from parity.doctor.examine import examine, versions
    from parity.files import write
    with _progress() as bar:
        task = bar.add_task("watching", total=iterations)
        diagnosis = examine(
            target, iterations=iterations, expect=expect, repeat=repeat,
            progress=lambda number: bar.update(task, completed=number)
        )
    report.show(_console(err=json_path == "-"), diagnosis)
    if html_path:
        write(html_path, report.to_html(diagnosis, target, versions()))
    _publish_json(lambda one: report.to_json(one, versions()), diagnosis, json_path)
    return 1 if diagnosis.errors else 0


@cli.command("compare")
@click.argument("targets", nargs=-1, required=True, metavar="PAIR | TORCH PADDLE")
@click.option("--input", "inputs", multiple=True, metavar="SPEC",
              help="[NAME=][DTYPE:]SHAPE[@LOW..HIGH], one for each argument: 2,3,224,224 or tokens=int64:2,16@0..100.")
@click.option("--map", "names", multiple=True, metavar="REFERENCE=TWIN",
              help="A module or tensor by its path on either side, where the pairing goes wrong. May be repeated.")
@click.option("--calls", type=click.IntRange(min=1), metavar="N", help="Forwards in a row, before one backward.  [default: 1]")
@click.option("--eval/--no-eval", "in_eval", default=None, help="Compare in eval mode.")
@click.option("--train/--no-train", "in_train", default=None, help="Compare in train mode.")
@click.option("--operations", is_flag=True, help="Watch single operations too, everywhere (slower).")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", help="Of weights and inputs.  [default: 0]")
@_lanes("both")
@_QUICK
@_REPORTS
def compare_pair(targets: tuple[str, ...], inputs: tuple[str, ...], names: tuple[str, ...], calls: int | None,
                 in_eval: bool | None, in_train: bool | None, operations: bool, seed: int | None, lane: str, device: str,
                 quick: bool, json_path: str | None, html_path: str | None) -> int:
    """Compare your own PyTorch module with your Paddle port of it.

    Name a file that declares the pair (`parity init` writes one), or both modules, as module:Class or file.py:Class. Modules and
    weights are paired by name, then by layer type and shape; what had to be guessed is said.

    \b
    Examples:
      parity compare my_torch:Net my_paddle:Net --input 2,3,224,224
      parity compare tagger_torch.py:Tagger tagger_paddle.py:Tagger --input int64:2,16@0..100
      parity compare my_pair.py --html report.html
    """
    _check_outputs(json_path, html_path)
    _quieten()
    from parity.compare import runner as checking
    from parity.declare import port as porting
    from parity.files import InputError
    from parity.report import report
    said = {"calls": calls, "seed": seed}
    options: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if names:
        if not all("=" in name for name in names):
            raise InputError(f"--map {' '.join(names)}: expected REFERENCE=TWIN, two paths as in the state dicts")
        options["names"] = dict(name.split("=", 1) for name in names)
    port = porting.load(targets, specified=inputs, **options)
    modes = [mode for mode, wanted in (("eval", in_eval), ("train", in_train))
             if wanted or (wanted is None and mode in port.modes)]
    if not modes:
        raise click.UsageError("no mode is left to compare; drop --no-eval or --no-train")
    cases = [checking.Case(port.title, mode, port.subject(mode)) for mode in modes]
    summary = report.Summary(_run(cases, lane, device, operations=operations, quick=quick))
    _publish(summary, json_path, html_path)
    return _exit_code(summary)


@cli.command()
@click.argument("folder", metavar="[DIR]", default=".")
def init(folder: str) -> None:
    """Write a small working pair and its test into a folder, to start from with your own model.

    \b
    Examples:
      parity init first
      cd first; parity compare my_pair.py
    """
    from parity.declare import example as start
    written = start.begin(folder)
    _console(err=False).print("\n".join([*(f"wrote {path}" for path in written), "",
                                         f"next: cd {folder}; parity compare my_pair.py; parity steps my_pair.py"]),
                                       soft_wrap=True, markup=False)


@cli.command()
@_INPUTS
@click.option("--batch", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
              help="Pictures of each domain, in one batch.")
@click.option("--lane", type=click.Choice(["float64", "float32"]), default="float64", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--eval/--no-eval", "in_eval", default=True, help="Record eval mode.")
@click.option("--train/--no-train", "in_train", default=True, help="Record train mode.")
@click.option("--modules/--no-modules", default=True, help="Every module alone, before the networks.")
@click.option("--only", multiple=True, metavar="NAME", help="Only programs of this name; * and ? match. May be repeated.")
@click.option("--side", type=click.Choice(["reference", "twin"]), required=True, help="reference: PyTorch. twin: Paddle.")
@click.option("--keep", type=click.Choice(["all", "layers", "summaries"]), default="all", show_default=True,
              help="all: every line. layers: module borders, parameters, gradients. summaries: projections and samples of these.")
@click.option("--from", "source", metavar="TRACE", help="Take weights, inputs and noise floors from this trace.")
@click.option("--pair", "pair", metavar="FILE", help="Record your own pair instead (a file of parity init, or file.py:name).")
@click.argument("out", metavar="OUT_DIR")
@click.pass_context
def record(context: click.Context, checkpoint: str | None, images: str | None, size: int | None, seed: int, batch: int,
           lane: str, device: str, in_eval: bool, in_train: bool, modules: bool, only: tuple[str, ...], side: str, keep: str,
           source: str | None, pair: str | None, out: str) -> int:
    """Run one side of each program, forward and backward, and write every value into an empty folder, for `parity diff`.

    \b
    Examples:
      parity record --side reference there/
      parity record --side twin --from there/ here/
      parity record --side twin --from there/ --only 'gen*' --keep layers here/
      parity record --side reference --pair my_pair.py mine/
    """
    modes = [mode for mode, wanted in (("eval", in_eval), ("train", in_train)) if wanted]
    if not modes:
        raise click.UsageError("--no-eval and --no-train leave nothing to record; drop one of them")
    _quieten()
    from pathlib import Path

    from parity.compare import runner as checking
    from parity.recordings import record as recording
    from parity.recordings.traces import Trace
    given = Trace.open(source) if source else None
    if pair:
        from parity.declare import port as porting
        _refuse_for_pair(context, pair, ("checkpoint", "images", "size", "batch", "modules", "only"))
        port = porting.load([pair], **({"seed": seed} if _given(context, "seed") else {}))
        cases = [checking.Case(port.title, mode, port.subject(mode)) for mode in modes if mode in port.modes]
    else:
        recording.alone(checking.PAIR, side, given)  # before anything is built
        weights = checking.Checkpoint.read(checkpoint) if checkpoint else None
        cases = checking.cases(seed=seed, checkpoint=weights, images=images, size=size, batch=batch, modes=modes,
                               modules=modules, only=only, weights=given is None)
    if given is not None:
        cases = recording.taken_over(cases, given)
    needed, beside = recording.estimate(cases, side, lane, keep, device, given)
    folder = Path(out)
    recording.check_room(next(place for place in (folder, *folder.absolute().parents) if place.is_dir()), needed + beside)
    console = _console(err=False)
    console.print(f"up to {needed / 2**20:.1f} MiB", soft_wrap=True)
    with _progress() as bar:
        task = bar.add_task("", total=len(cases))
        written = recording.record(folder, cases, side=side, lane=lane, keep=keep, device=device, source=given,
                                   progress=lambda case, doing: bar.update(task, description=f"{case}: {doing}"))
    console.print(recording.describe(len(cases), needed, written, out, side, lane, keep), soft_wrap=True)
    return 0


@cli.command("diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@_REPORTS
def diff_traces(one: str, other: str, json_path: str | None, html_path: str | None) -> int:
    """Compare two traces of `parity record`: another framework, version, device or day. Needs neither framework.

    A stands for the reference. Exit codes as of check; 2 also where a recording was interrupted and nothing diverged up to there.

    \b
    Examples:
      parity diff there/ here/
      parity diff good_day/ today/ --html since_when.html
    """
    _check_outputs(json_path, html_path)
    from parity.recordings.diff import diff
    from parity.recordings.traces import Trace
    summary = diff(Trace.open(one), Trace.open(other))
    _publish(summary, json_path, html_path)
    code = _exit_code(summary)
    return BAD_INPUT if summary.incomplete and not code else code


@cli.command("faults")
@click.option("--json", "json_path", metavar="FILE", help="Write the list as JSON; - for standard output.")
def list_faults(json_path: str | None) -> None:
    """List the known bugs that `parity steps --fault NAME` can put into the twin.

    \b
    Examples:
      parity faults
      parity faults --json -
    """
    _check_outputs(json_path)
    _quieten()
    from parity.ugatit.faults import CATALOGUE, listing
    if json_path != "-":
        listing.show(_console(err=False), CATALOGUE.values())
    _publish_json(listing.to_json, CATALOGUE.values(), json_path)


@cli.command()
@click.option("--fault", "names", multiple=True, metavar="NAME", help="This fault only. May be repeated.  [default: the catalogue]")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", default=2, show_default=True, help="So many, from --seed on.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, show_default=True, help="The first.")
@click.option("--mode", "modes", type=click.Choice(["check", "free", "resync"]), multiple=True, default=("check", "free"),
              show_default=True, help="check: modules and networks. free, resync: trainings. May be repeated.")
@click.option("--lane", type=click.Choice(["float64", "float32", "both"]), default="float64", show_default=True)
@click.option("--model", "models", type=click.Choice(["light", "full"]), multiple=True,
              help="The generators. May be repeated.  [default: light]")
@click.option("--ngf", type=click.IntRange(min=1), multiple=True, metavar="N",
              help="Width of the generators. May be repeated, as the other sizes.  [default: the exam's, 4; trainings 2]")
@click.option("--ndf", type=click.IntRange(min=1), multiple=True, metavar="N",
              help="Width of the discriminators.  [default: the exam's, 4; trainings 1]")
@click.option("--n-blocks", type=click.IntRange(min=1), multiple=True, metavar="N",
              help="Residual blocks.  [default: the exam's, 2; trainings 1]")
@click.option("--size", type=click.IntRange(min=4), multiple=True, metavar="PIXELS",
              help="Side of the pictures.  [default: the exam's, 32; trainings 96]")
@_RUNS
@_REPORTS
def campaign(names: tuple[str, ...], seeds: int, seed: int, modes: tuple[str, ...], lane: str, models: tuple[str, ...],
             ngf: tuple[int, ...], ndf: tuple[int, ...], n_blocks: tuple[int, ...], size: tuple[int, ...], work_path: str | None,
             workers: int | None, scheduler: str | None, json_path: str | None, html_path: str | None) -> int:
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
    _check_outputs(json_path, html_path)
    _quieten()
    from parity.campaign import runs as campaigning
    from parity.files import write
    from parity.ugatit.faults import tally, trials
    from parity.ugatit.following import known
    sizes = {"ngf": ngf, "ndf": ndf, "n_blocks": n_blocks, "img_size": size, "light": tuple(model == "light" for model in models)}
    chosen = trials.configurations(modes, _chosen(lane), {name: values for name, values in sizes.items() if values})
    plan = trials.plan(known(names), range(seed, seed + seeds), chosen)
    with campaigning.on_dask(scheduler), _progress() as bar:
        told = _counting(bar)
        told(len(plan), "")
        outcomes = campaigning.run(
            plan, trials.do, folder=Path(work_path) if work_path else None, workers=workers,
            progress=lambda task, outcome, kept: told(len(plan), f"{task['name']}, seed {task['seed']}, {trials.where(task)}"))
    found = tally.Tally(plan, outcomes.values())
    found.show(_console(err=json_path == "-"))
    if html_path:
        write(html_path, found.to_html())
    _publish_json(tally.Tally.to_json, found, json_path)
    return found.exit_code


@cli.command()
def differences() -> None:
    """Print the page of known differences between Paddle and torch, each reproduced on the installed Paddle.

    
    Example:
      parity differences > differences.md
    """
    _quieten()
    from parity.differences import ALL, page
    click.echo(page.page(ALL))


@cli.command()
@click.argument("source", metavar="SRC", required=False)
@click.argument("destination", metavar="OUT", required=False)
@click.option("--to", "direction", type=click.Choice(["paddle", "torch"]), default="paddle", show_default=True,
              help="paddle: SRC is a .pt or .safetensors file or a folder of them, OUT a folder. torch: SRC is such a folder, "
                   "OUT a .pt file.")
@click.option("--format", "file_format", type=click.Choice(["pdparams", "safetensors"]), default=None,
              help="Of the Paddle files. Default: pdparams; with --to torch: what SRC holds.")
@click.option("--verify", type=click.Choice(["full", "checksum", "none"]), default="full", show_default=True,
              help="full: reload every tensor with the target framework, compare it bit for bit. checksum: read the files back.")
@click.option("--forward/--no-forward", "try_forward", default=None,
              help="One forward of both networks on one input, compared in float32.  [default: with --verify full, up to 500 MB]")
@click.option("--prefix", metavar="NAME", help="Take only what lies under this name in SRC (model, ema.model).")
@click.option("--network", metavar="NAME", help="The one network to take; the name of a bare state_dict.")
@click.option("--optimizer", metavar="WHERE",
              help="Carry Adam's moments and steps over, too, for a single network: a key in SRC or a .pt file, to "
                   "OUT/NETWORK.pdopt; with --to torch a .pdopt, to OUT with the suffix .optimizer.pt.")
@click.option("--adam", metavar="NAME=VALUE", multiple=True,
              help="What a .pdopt does not hold, for --to torch: lr, and where they are not the defaults beta1, beta2, eps, "
                   "weight_decay. May be repeated.")
@click.option("--pair", metavar="MODULE", help="Convert the networks that your module declares (a name, or a .py file).")
@click.option("--check", "receipt_path", metavar="RECEIPT", help="Prove an earlier conversion anew; without SRC and OUT.")
def convert(source: str | None, destination: str | None, direction: str, file_format: str | None, verify: str,
            try_forward: bool | None, prefix: str | None, network: str | None, optimizer: str | None, adam: tuple[str, ...],
            pair: str | None, receipt_path: str | None) -> int:
    """Carry a checkpoint from PyTorch to Paddle or back, bit for bit, with a receipt.

    \b
    Examples:
      parity convert model.pt converted/
      parity convert --to torch converted/ model.pt
      parity convert --check converted/receipt.json
      parity convert --network genA2B --prefix ema generator.pt converted/
      parity convert --pair my_networks.py model.pt converted/
      parity convert --network genA2B --prefix model --optimizer optimizer training.pt converted/
      parity convert --to torch --optimizer genA2B.pdopt --adam lr=1e-4 --adam beta1=0.5 genA2B.pdparams generator.pt
    """
    if receipt_path is None and (source is None or destination is None):
        raise click.UsageError("expected SRC and OUT, or --check RECEIPT")
    if receipt_path is not None and (source or destination):
        raise click.UsageError("--check RECEIPT takes no SRC and no OUT: the receipt names the files")
    if prefix and direction == "torch":
        raise click.UsageError("--prefix is for torch checkpoints; with --to torch leave it out")
    if adam and (direction == "paddle" or not optimizer):
        raise click.UsageError("--adam is for --to torch with --optimizer; a torch checkpoint holds these numbers itself")
    _quieten()
    from parity.ugatit import conversion
    out, known = _console(err=False), conversion.networks(pair)
    if receipt_path is not None:
        receipt, path = conversion.checked(receipt_path, known), Path(receipt_path)
    else:
        with _terminable(), _transfer(source) as progress:
            options = {"known": known, "network": network, "optimizer": optimizer, "verify": verify, "progress": progress}
            if direction == "paddle":
                receipt, path = conversion.to_paddle(source, destination, file_format or "pdparams", prefix=prefix, **options)
            else:
                receipt, path = conversion.to_torch(source, destination, file_format, adam=conversion.adam(adam), **options)
    conversion.show(out, receipt, path)
    if try_forward is None:
        try_forward = (verify == "full" and not receipt["non_finite"]
                       and sum(file["bytes"] for file in receipt["files"]) <= 500_000_000)
    if not try_forward:
        return 0
    with _progress() as bar:
        task = bar.add_task("forward", total=len(receipt["sizes"]))
        results = conversion.forward(receipt, path, known, lambda name: bar.update(task, advance=1, description=f"forward: {name}"))
    conversion.show_forward(out, results)
    return 0 if all(result.same for result in results) else 1


@cli.command()
@click.option("--checkpoint", metavar="FILE.pt", help="Official checkpoint. Default: one is made from seeded weights.")
@click.option("--images", metavar="DIR", help="Folder of pictures. Default: some are drawn.")
@click.option("--size", type=click.IntRange(min=4), metavar="PIXELS",
              help="Side of the pictures. Default: the checkpoint's own, else 128.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, show_default=True)
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
    _quieten()
    from parity.ugatit import demo as showing
    console = _console(err=False)
    prepared = showing.prepare(console, out, checkpoint=checkpoint, images=images, size=size, seed=seed)
    from parity.report import report
    summary = report.Summary(_run(prepared.cases(), "both", "cpu"))
    report.show(console, summary)
    prepared.write(console, summary)
    return _exit_code(summary)


def _run(cases: Sequence[Any], lane: str, device: str, **options: Any) -> list[Any]:
    """Run the cases behind a progress bar, where somebody is watching."""
    from parity import heap
    from parity.compare.one_pass import LARGE
    from parity.compare.runner import run
    if options.get("quick"):
        heap.keep_freed(below=LARGE)  # this process is ours
    results = []
    with _progress() as bar:
        task = bar.add_task("", total=len(cases))
        for result in run(cases, lanes=_chosen(lane), device=device, **options,
                          progress=lambda case, doing: bar.update(task, description=f"{case}: {doing}")):
            results.append(result)
            bar.advance(task)
    return results


def _follow(training: Any, lane: str, *, steps: int, **options: Any) -> list[Any]:
    """Follow the training behind a progress bar; its unit is one side's step."""
    from parity.ugatit.following import run
    with _progress() as bar:
        task = bar.add_task("building", total=len(_chosen(lane)) * steps * (options.get("draws", -1) + 2))
        begun = 0

        def told(lane: str, step: int, what: str, losses: Any) -> None:
            nonlocal begun
            numbers = "".join(f"  {name} {value:.6g}" for name, value in losses.items())
            bar.update(task, description=f"{lane}, step {step}: {what}{numbers}", completed=begun)
            begun += 1

        return list(run(training, lanes=_chosen(lane), steps=steps, progress=told, **options))


def _counting(bar: Any) -> Callable[[int, str], None]:
    """Tells a bar how many runs there are (at first), and that one more is done."""
    task = bar.add_task("starting", total=None)

    def told(total: int, what: str) -> None:
        bar.update(task, total=total, description=what)
        if what:
            bar.advance(task)

    return told


def _progress() -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    console = _console(err=True)
    return Progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM unwinds the block, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:  # Paddle's handler, which is none of Python's, is not put back
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


@contextmanager
def _transfer(source: str) -> Iterator[Callable[[str, int], None]]:
    """A bar of bytes and their rate."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    console, path = _console(err=True), Path(source)
    files = [file for file in path.glob("*") if file.is_file()] if path.is_dir() else [path]
    total = sum(file.stat().st_size for file in files if file.is_file())
    with Progress(TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
                  console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda name, count: bar.update(task, advance=count, description=name)


def _given(context: click.Context, name: str) -> bool:
    """Whether the user wrote that option."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _refuse_for_pair(context: click.Context, pair: str, names: Sequence[str]) -> None:
    options = {option.name: option.opts[0] for option in context.command.params}
    given = [options[name] for name in names if _given(context, name)]
    if given:
        raise click.UsageError(f"{', '.join(given)}: for U-GAT-IT, not for {pair}, whose file says what "
                               f"it is fed with; leave it out")


def _chosen(lane: str) -> tuple[str, ...]:
    from parity.verdict.findings import LANES
    return LANES if lane == "both" else (lane,)


def _publish(summary: Any, json_path: str | None, html_path: str | None) -> None:
    from parity.files import write
    from parity.report import report
    report.show(_console(err=json_path == "-"), summary)
    if html_path:
        write(html_path, report.to_html(summary))
    _publish_json(report.to_json, summary, json_path)


def _publish_steps(summary: Any, json_path: str | None, html_path: str | None, plot_path: str | None) -> None:
    from parity.files import write
    from parity.steps import picture as steps_picture
    from parity.steps import report as steps_report
    steps_report.show(_console(err=json_path == "-"), summary)
    if html_path or plot_path:
        picture = steps_picture.draw(summary)
        if plot_path:
            write(plot_path, picture)
        if html_path:
            write(html_path, steps_report.to_html(summary, picture))
    _publish_json(steps_report.to_json, summary, json_path)


def _publish_explanation(explanation: Any, json_path: str | None, html_path: str | None) -> None:
    from parity.files import write
    from parity.ugatit.explain.report import page, text
    text.show(_console(err=json_path == "-"), explanation)
    if html_path:
        write(html_path, page.to_html(explanation))
    _publish_json(page.to_json, explanation, json_path)


def _publish_json(to_json: Callable[[Any], str], what: Any, path: str | None) -> None:
    from parity.files import write
    if path == "-":
        click.echo(to_json(what), nl=False)
    elif path:
        write(path, to_json(what))


def _check_outputs(json_path: str | None, html_path: str | None = None, plot_path: str | None = None) -> None:
    from parity.files import check_writable
    for option, path in (("--html", html_path), ("--plot", plot_path)):
        if path == "-":
            raise click.UsageError(f"{option} -: expected a file name; only --json can go to standard output")
    if plot_path and not plot_path.lower().endswith(".png"):
        raise click.UsageError(f"--plot {plot_path}: expected the name of a PNG file; add .png")
    for path in (json_path, html_path, plot_path):
        if path and path != "-":
            check_writable(path)


def _console(*, err: bool) -> Any:
    from rich.console import Console
    return Console(stderr=err, highlight=False)


def _exit_code(summary: Any) -> int:
    return 1 if summary.verdict == "diverged" else 0


def _quieten() -> None:
    """Paddle greets with remarks on compilers, and joblib remarks on workers that it renews; nobody here needs them."""
    warnings.filterwarnings("ignore", message=".*ccache.*")
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
