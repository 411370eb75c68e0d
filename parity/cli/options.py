"""Options that several commands share. A group of them reaches its command as one argument."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import click

SEED = click.IntRange(0, 2**32 - 1)


def grouped(argument: str, kind: type, *options: Callable) -> Callable:
    """These options, in the order of the help page, as one argument: a `kind`, whose fields have the options' names."""
    known = {field.name for field in fields(kind)}

    def decorate(command: Callable) -> Callable:
        @functools.wraps(command)
        def gathered(*arguments: object, **values: object) -> int:
            group = kind(**{name: values.pop(name) for name in known & values.keys()})
            return command(*arguments, **{argument: group}, **values)

        for option in reversed(options):
            gathered = option(gathered)
        return gathered

    return decorate


@dataclass(frozen=True)
class Where:
    """In which lanes, and on what."""

    lane: str
    device: str

    @property
    def lanes(self) -> tuple[str, ...]:
        return lanes_of(self.lane)


def where(default: str, *, both: bool = True) -> Callable:
    """default: the lane. both: whether the command takes two lanes at once."""
    choice = click.Choice(["float64", "float32", *(["both"] if both else [])])
    return grouped(
        "where", Where,
        click.option("--lane", type=choice, default=default, show_default=True,
                     help="float64: the same computation? float32: as accurate as the reference?" if both else None),
        click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True),
    )


def lanes_of(lane: str) -> tuple[str, ...]:
    """What --lane stands for."""
    from parity.asked import LANES
    return LANES if lane == "both" else (lane,)


@dataclass(frozen=True)
class Modes:
    """Eval mode and train mode: wanted, not wanted, or (None) as the pair has it."""

    in_eval: bool | None
    in_train: bool | None

    def of(self, offered: Sequence[str], doing: str = "compare") -> list[str]:
        """Those of a pair that are wanted. Raises UsageError where none is left."""
        left = [mode for mode, wanted in (("eval", self.in_eval), ("train", self.in_train))
                if wanted or (wanted is None and mode in offered)]
        if not left:
            raise click.UsageError(f"--no-eval and --no-train leave nothing to {doing}; drop one of them")
        return left


def modes(default: bool | None, doing: str = "Compare", train: str | None = None) -> Callable:
    """default: None, where a pair says which modes it has. train: the help of --train."""
    return grouped(
        "modes", Modes,
        click.option("--eval/--no-eval", "in_eval", default=default, help=f"{doing} in eval mode."),
        click.option("--train/--no-train", "in_train", default=default, help=train or f"{doing} in train mode."),
    )


@dataclass(frozen=True)
class Reports:
    """Files to write beside what the terminal shows, and how much it shows."""

    json_path: str | None = None
    html_path: str | None = None
    sarif_path: str | None = None
    junit_path: str | None = None
    quiet: bool = False
    verbose: bool = False


_FILES = (
    click.option("--json", "json_path", metavar="FILE", help="Write the report as JSON; - for standard output."),
    click.option("--html", "html_path", metavar="FILE", help="Write the report as one HTML page."),
)
REPORTS = grouped("reports", Reports, *_FILES)
JSON = click.option("--json", "json_path", metavar="FILE", help="Write what was found as JSON; - for standard output.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="The verdict in one sentence, no progress.")
_MACHINES = (
    click.option("--sarif", "sarif_path", metavar="FILE", help="Write what is wrong as SARIF, for code scanning."),
    click.option("--junit", "junit_path", metavar="FILE", help="Write the verdicts as JUnit XML, for test reports."),
)
MACHINES = grouped("reports", Reports, *_FILES, *_MACHINES)
VERDICT = grouped(  # of what is compared
    "reports", Reports, *_FILES, *_MACHINES, QUIET,
    click.option("-v", "--verbose", is_flag=True, help="All that was not compared, not the first of it."),
)


@dataclass(frozen=True)
class Runs:
    """Where many runs are made, and kept."""

    work_path: str | None
    workers: int | None
    scheduler: str | None


RUNS = grouped(
    "runs", Runs,
    click.option("--work", "work_path", metavar="DIR",
                 help="Keep the results of all runs here, and pick up from it what is there."),
    click.option("--workers", type=click.IntRange(min=1), metavar="N",
                 help="Runs at a time, one thread each.  [default: the cores, or what the cluster has]"),
    click.option("--scheduler", metavar="ADDRESS", envvar="DASK_SCHEDULER_ADDRESS", show_envvar=True,
                 help="Make the runs on the workers of this Dask scheduler (tcp://host:8786)."),
)

QUICK = click.option("--quick", is_flag=True,
                     help="Where the two are the same in float64, which comes first: no float32 lane.")


def given(context: click.Context, name: str) -> bool:
    """Whether the user wrote that option."""
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
