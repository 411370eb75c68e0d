"""`parity fix`: from the finding to a patch that has been proven."""

from __future__ import annotations

import json
import os

import click

from parity.cli import output
from parity.cli.compare import mapped
from parity.cli.exits import BAD_INPUT, DIVERGED, SAME
from parity.cli.options import JSON, Reports


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="PAIR | TORCH PADDLE")
@click.option("--input", "specified", multiple=True, metavar="SPEC", help="As for compare.")
@click.option("--map", "names", multiple=True, metavar="REFERENCE=TWIN", help="As for compare. May be repeated.")
@click.option("--budget", type=click.FloatRange(min=1), default=120.0, show_default=True, metavar="SECONDS",
              help="How long to look.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N",
              help="Of the training that the pair declares: so many steps have to agree.")
@click.option("--write", "write_it", is_flag=True, help="Write the patch into your files, if one is proven.")
@JSON
def fix(targets: tuple[str, ...], specified: tuple[str, ...], names: tuple[str, ...], budget: float, steps: int | None,
        write_it: bool, json_path: str | None) -> int:
    """Look for the change of your Paddle port that makes it the same computation, and prove it.

    Where the two first differ, changes of the twin's line are tried, each in a process of its own and on no file of yours: what the
    reference's line says, said in Paddle; another argument, name, constant or order. A patch is shown if with it every value
    agrees, in both lanes, in eval and train, on three seeds, and without any one of its changes does not.

    Exit code 0: the same, or a patch is proven. 1: they differ, and no patch was proven. 2: bad input, or undecided.

    \b
    Examples:
      parity fix my_pair.py
      parity fix my_torch.py:Net my_paddle.py:Net --input 2,3,32,32 > net.patch
      parity fix my_pair.py --write
      parity fix my_pair.py --steps 3
    """
    if steps is not None and (len(targets) != 1 or specified or names):
        raise click.UsageError("--steps is of a training, which one pair file declares: parity fix my_pair.py --steps 3")
    if not hasattr(os, "fork"):
        raise click.ClickException("parity fix tries each change in a fork of its process, which this system has not; use Linux, "
                                   "macOS or WSL")
    reports = Reports(json_path, None)
    output.check_outputs(reports)
    from parity.mending import patches
    from parity.mending.search import Search
    said, shown = {"names": mapped(names)} if names else {}, output.console(err=True)

    def load(seed: int | None) -> object:
        from parity.declare import port as porting
        if steps is not None:
            training = porting.training(*targets)
            return training if not seed else porting.training(*targets, seed=training.seed + seed)
        port = porting.load(targets, specified=specified, **said)
        return port if not seed else porting.load(targets, specified=specified, **said, seed=port.seed + seed)

    trials = output.Lines(shown)

    def told(what: str, trial: int | None = None) -> None:
        if trial is None:
            shown.print(what, soft_wrap=True, markup=False)
        else:
            trials.update(0, description=f"trial {trial}, {what}")

    found = Search(load, budget=budget, steps=steps, tell=told).run()
    if found.verdict == "fixed" and json_path != "-":
        output.echo(found.diff)
    elif found.diff:
        shown.print(found.diff, end="", soft_wrap=True, markup=False)
    shown.print(found.sentence, soft_wrap=True, markup=False)
    output.publish_json(reports, lambda: json.dumps(found.to_json(), indent=1) + "\n")
    if write_it and found.verdict == "fixed":
        for file in patches.apply(found.changes, found.originals):
            shown.print(f"written: {file}", soft_wrap=True, markup=False)
    return {"same": SAME, "fixed": SAME, "undecided": BAD_INPUT}.get(found.verdict, DIVERGED)
