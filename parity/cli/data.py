"""`parity data` and `parity metric`: what feeds two trainings, and what measures them."""

from __future__ import annotations

import json
from typing import Any

import click

import parity
from parity.cli import output
from parity.cli.exits import exit_code
from parity.cli.options import JSON, QUIET, SEED, Reports

_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="All that was found, not the first of it.")
_SEED = click.option("--seed", type=SEED, default=0, show_default=True, help="Of all random numbers, which both sides share.")


@click.command()
@click.argument("target", metavar="FILE.py[:NAME]")
@click.option("--samples", type=click.IntRange(min=1), metavar="N", default=32, show_default=True,
              help="So many samples of each epoch (of a stream: items). Orders are compared whole.")
@click.option("--picture", "picture_path", metavar="FILE.png", help="Draw the first picture that differs, and the difference.")
@_SEED
@JSON
@QUIET
@_VERBOSE
def data(target: str, samples: int, picture_path: str | None, seed: int, json_path: str | None, quiet: bool, verbose: bool) -> int:
    """Do two data pipelines hand out the same? At which sample not, and by which transform?

    FILE.py declares a parity.Data: two functions without arguments that return a DataLoader, a dataset, or any iterable. Both are
    given the same random numbers. The order of each epoch is compared whole, then samples, each followed line by line and
    transform by transform, then the batches.

    \b
    Examples:
      parity data my_pair.py
      parity data my_pair.py:training --samples 200 --picture difference.png
    """
    reports = Reports(json_path, quiet=quiet, verbose=verbose)
    output.check_outputs(reports)
    if picture_path and not picture_path.lower().endswith(".png"):
        raise click.UsageError(f"--picture {picture_path}: expected the name of a PNG file; add .png")
    from parity.data import show
    from parity.files import check_writable, write
    if picture_path:
        check_writable(picture_path)
    with output.progress(quiet=quiet) as bar:
        task = bar.add_task("samples")
        summary = parity.compare_data(target, samples=samples, seed=seed, told=lambda done: bar.advance(task, done))
    drawn = show.picture(summary) if picture_path else None
    if drawn is not None:
        write(picture_path, drawn)
    elif picture_path:
        click.echo(f"nothing that differs is a picture: {picture_path} is not written", err=True)
    return _told(summary, show.show, reports)


@click.command()
@click.argument("target", metavar="FILE.py[:NAME]")
@_SEED
@JSON
@QUIET
@_VERBOSE
def metric(target: str, seed: int, json_path: str | None, quiet: bool, verbose: bool) -> int:
    """Do two metrics say the same of the same predictions? After which batch not, and why?

    FILE.py declares a parity.Metric: a metric on each side (an object that is updated, or a function of a batch), and what they
    are handed. Where each side has predictions of its own model, it is told whether the ends differ by the metric or by the model.

    \b
    Examples:
      parity metric my_pair.py
      parity metric my_pair.py:accuracy --json -
    """
    reports = Reports(json_path, quiet=quiet, verbose=verbose)
    output.check_outputs(reports)
    from parity.metrics import show
    return _told(parity.compare_metrics(target, seed=seed), show.show, reports)


def _told(summary: Any, show: Any, reports: Reports) -> int:
    summary.circumstances = output.circumstances()
    output.publish_json(reports, lambda: json.dumps(summary.to_json(), indent=1) + "\n")
    output.tell(reports, summary, show)
    return exit_code(summary)
