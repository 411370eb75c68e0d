"""What a command shows while it works, and what it writes when it is done."""

from __future__ import annotations

import os
import shlex
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from parity.cli.options import Reports


def quieten() -> None:
    """Paddle greets with remarks on compilers, and joblib remarks on workers that it renews; nobody here needs them."""
    warnings.filterwarnings("ignore", message=".*ccache.*")
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs")


def circumstances(files: Mapping[str, str] = {}) -> Any:
    """Of the command that runs: what was typed, and now. files: path -> SHA-256 of what was read."""
    from parity.report.circumstances import Circumstances
    context = click.get_current_context().find_root()
    return Circumstances(shlex.join([context.info_name or "", *(context.obj or ())]), files=files)


def publish(summary: Any, reports: Reports, files: Mapping[str, str] = {}) -> None:
    """The report of a comparison: into the files that were asked for, and on the terminal. files: as of `circumstances`."""
    from parity.report import document, page, problems, terminal
    summary.circumstances = circumstances(files)
    publish_html(reports, lambda: page.to_html(summary))
    publish_json(reports, lambda: document.to_json(summary))
    publish_problems(reports, problems.checked(summary), summary.versions)
    tell(reports, summary, terminal.show)


def tell(reports: Reports, summary: Any, show: Callable[..., None]) -> None:
    """On the terminal, as much of it as was asked for."""
    from parity.report.terminal import NAMED
    shown = console(err=reports.json_path == "-")
    if reports.quiet:
        shown.print(str(summary.sentence()), soft_wrap=True, markup=False)
    else:
        show(shown, summary, listed=None if reports.verbose else NAMED)


def for_machines(reports: Reports) -> bool:
    """Whether `publish_problems` has anything to do."""
    return bool(reports.sarif_path or reports.junit_path) or os.environ.get("GITHUB_ACTIONS") == "true"


def publish_problems(reports: Reports, programs: Sequence[Any], versions: Mapping[str, str]) -> None:
    """What is wrong, for machines: where it was asked for, and as annotations where GitHub runs this."""
    from parity.files import write
    from parity.report import machines
    if reports.sarif_path:
        write(reports.sarif_path, machines.to_sarif(programs, versions))
    if reports.junit_path:
        write(reports.junit_path, machines.to_junit(programs, "parity"))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        click.echo(machines.annotations(programs), nl=False, err=True)


def publish_html(reports: Reports, to_html: Callable[[], str]) -> None:
    """The HTML page, where one was asked for."""
    from parity.files import write
    if reports.html_path:
        write(reports.html_path, to_html())


def publish_json(reports: Reports, to_json: Callable[[], str]) -> None:
    """The JSON document, where one was asked for."""
    from parity.files import write
    if reports.json_path == "-":
        echo(to_json())
    elif reports.json_path:
        write(reports.json_path, to_json())


def check_outputs(reports: Reports, plot_path: str | None = None) -> None:
    """Asked before the work starts. Raises UsageError, InputError."""
    from parity.files import check_writable
    for option, path in (("--html", reports.html_path), ("--sarif", reports.sarif_path), ("--junit", reports.junit_path),
                         ("--plot", plot_path)):
        if path == "-":
            raise click.UsageError(f"{option} -: expected a file name; only --json can go to standard output")
    if plot_path and not plot_path.lower().endswith(".png"):
        raise click.UsageError(f"--plot {plot_path}: expected the name of a PNG file; add .png")
    if reports.quiet and reports.verbose:
        raise click.UsageError("--quiet and --verbose: one of them")
    for path in (reports.json_path, reports.html_path, reports.sarif_path, reports.junit_path, plot_path):
        if path and path != "-":
            check_writable(path)


def console(*, err: bool) -> Any:
    """Standard output, or standard error where that is taken. Where nobody reads it any more, nothing more is shown."""
    from rich.console import Console

    class Shown(Console):
        def on_broken_pipe(self) -> None:  # rich ends the process, with the exit code of a divergence
            _drop(self.file)

    return Shown(stderr=err, highlight=False)


def echo(text: str) -> None:
    """On standard output, as it is, as long as somebody reads it."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        _drop(sys.stdout)


def _drop(stream: Any) -> None:
    """What is in a stream that nobody reads any more (`| head`), and what else is written to it: or python's last flush fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def counting(bar: Any) -> Callable[[int, str], None]:
    """Tells a bar how many runs there are (at first), and that one more is done."""
    task = bar.add_task("starting", total=None)

    def told(total: int, what: str) -> None:
        bar.update(task, total=total, description=what)
        if what:
            bar.advance(task)

    return told


def progress(*, quiet: bool = False) -> Any:
    """A bar on standard error where somebody is watching, else a line now and then. quiet: nothing."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    shown = console(err=True)
    shown.quiet = quiet
    if not shown.is_terminal:
        return Lines(shown)
    return Progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    console=shown, transient=True)


class Lines:
    """What a bar would show, for a log: what runs and how much is left, at most one line in `EVERY` seconds."""

    EVERY = 10.0

    def __init__(self, shown: Any) -> None:
        self.console = shown
        self._began = self._said = time.monotonic()
        self._total: int | None = None
        self._done, self._what = 0, ""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        """There is nothing to take back."""

    def add_task(self, what: str, total: int | None = None) -> int:
        self._what, self._total = what, total
        return 0

    def advance(self, task: int, count: int = 1) -> None:
        self.update(task, advance=count)

    def update(self, task: int, *, description: str | None = None, completed: int | None = None, total: int | None = None,
               advance: int = 0) -> None:
        self._what = self._what if description is None else description
        self._total = self._total if total is None else total
        self._done = self._done + advance if completed is None else completed
        now = time.monotonic()
        if now - self._said >= self.EVERY:
            self._said = now
            done = f", {self._done} of {self._total} done" if self._total else ""
            self.console.print(f"{self._what} ({now - self._began:.0f} s{done})", soft_wrap=True, markup=False)


@contextmanager
def transfer(source: str) -> Iterator[Callable[[str, int], None]]:
    """A bar of bytes and their rate."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    shown, path = console(err=True), Path(source)
    files = [file for file in path.glob("*") if file.is_file()] if path.is_dir() else [path]
    total = sum(file.stat().st_size for file in files if file.is_file())
    with Progress(TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
                  console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda name, count: bar.update(task, advance=count, description=name)
