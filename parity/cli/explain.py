"""`parity explain --pair`: why a port of one's own differs, and what each line of it does."""

from __future__ import annotations

import os
from typing import Any

import click

from parity.cli import output
from parity.cli.exits import exit_code
from parity.cli.options import Reports

STEPS = 5  # of a training, where none are asked for


def of_pair(pair: str, steps: int | None, budget: float, reports: Reports) -> int:
    """The explanation of a pair file, on the terminal and into the files that were asked for. steps: by default `STEPS` of the
    training, where the pair declares one."""
    if not hasattr(os, "fork"):
        raise click.ClickException("parity explain --pair rights each line in a fork of its process, which this system has not; "
                                   "use Linux, macOS or WSL")
    from parity.declare import port as porting
    from parity.explain import show
    from parity.explain.explanation import Explaining, declared
    title, training = declared(pair)
    if training or steps is not None:
        steps = steps or STEPS
    shown = output.console(err=True)

    def load(seed: int | None) -> Any:
        if steps is None:
            port = porting.load([pair])
            return port if not seed else porting.load([pair], seed=port.seed + seed)
        found = porting.training(pair)
        return found if not seed else porting.training(pair, seed=found.seed + seed)

    runs = output.Lines(shown)

    def told(what: str, number: int | None = None) -> None:
        if number is None:
            shown.print(what, soft_wrap=True, markup=False)
        else:
            runs.update(0, description=what)

    explanation = Explaining(load, title=title, steps=steps, budget=budget, tell=told).run()
    explanation.circumstances = output.circumstances()
    show.show(output.console(err=reports.json_path == "-"), explanation)
    output.publish_html(reports, lambda: show.to_html(explanation))
    output.publish_json(reports, lambda: show.to_json(explanation))
    return exit_code(explanation)
