"""`parity doctor`: one training that does not learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from parity.cli import output
from parity.cli.options import MACHINES, Reports

if TYPE_CHECKING:
    from parity.doctor.diagnosis import Diagnosis


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("target", metavar="SCRIPT|MODULE:FUNCTION")
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--iterations", type=click.IntRange(min=1), metavar="N", default=20, show_default=True,
              help="Training steps to watch; three where an error is found by then.")
@click.option("--expect", multiple=True, metavar="ID", help="A finding that is meant: its id, or id:what. May be repeated.")
@click.option("--repeat/--no-repeat", default=True, show_default=True,
              help="Run a later iteration that shows a NaN a second time, for its line; holds a copy of the training's state.")
@click.option("--stop", is_flag=True, help="End a script after these iterations; else it runs on, unwatched.")
@MACHINES
def doctor(target: str, arguments: tuple[str, ...], iterations: int, expect: tuple[str, ...], repeat: bool, stop: bool,
           reports: Reports) -> int:
    """Why does my loss not go down? Watch a few steps of a Paddle or torch training, and say what is wrong with it.

    SCRIPT is run unchanged, as `python SCRIPT ARGUMENTS`, and watched from its first training step on; options that the
    doctor has too stand behind `--`. FUNCTION runs one training step and takes no arguments, or builds everything and
    returns such a function. Networks and optimizers are found in its reach (globals, closure, attributes of its object).
    Nothing of the training is changed. It may also declare a training of both sides (my_pair.py:pair): then the twin is
    held beside its reference, too.

    Exit codes: 0 no finding (what is merely unusual is shown, and does not count), 1 finding, 2 bad input.

    \b
    Examples:
      parity doctor train.py --epochs 1
      parity doctor --stop --iterations 50 train.py
      parity doctor train:step
      parity doctor train:build --iterations 5 --html doctor.html
      parity doctor train:step --expect frozen-network:teacher
      parity doctor my_pair.py:pair
    """
    output.check_outputs(reports)
    from parity.doctor.examine import examine
    if target.endswith(".py"):
        return _script(target, arguments, iterations, expect, stop, reports)
    if arguments or stop:
        raise click.UsageError(f"expected a script (train.py) before {' '.join(arguments) or '--stop'}, found {target}")
    with output.progress() as bar:
        task = bar.add_task("watching", total=iterations)
        diagnosis = examine(target, iterations=iterations, expect=expect, repeat=repeat,
                            progress=lambda number: bar.update(task, completed=number))
    return _told(diagnosis, target, reports)


def _script(script: str, arguments: tuple[str, ...], iterations: int, expect: tuple[str, ...], stop: bool,
            reports: Reports) -> int:
    from parity.doctor.script import diagnose_script
    from parity.files import InputError
    watched = diagnose_script(script, arguments, iterations=iterations, expect=expect, stop=stop)
    if watched.diagnosis is None:
        raise InputError(f"{script}: nothing was watched: no network that an optimizer trains was called in train mode"
                         + (f"; it ended with {watched.error!r}" if watched.error else ""))
    return _told(watched.diagnosis, script, reports, str(watched.said))


def _told(diagnosis: Diagnosis, target: str, reports: Reports, more: str = "") -> int:
    """Write the reports, and show it, with what else there is to say. -> exit code."""
    from parity.doctor import report
    output.publish_html(reports, lambda: report.to_html(diagnosis, target))
    output.publish_json(reports, lambda: report.to_json(diagnosis))
    if output.for_machines(reports):
        from parity.doctor.problems import checked
        output.publish_problems(reports, checked(diagnosis, target), report.versions())
    console = output.console(err=reports.json_path == "-")
    report.show(console, diagnosis)
    if more:
        console.print(more, soft_wrap=True)
    return 1 if diagnosis.errors else 0
