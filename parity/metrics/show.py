"""What came of two metrics, on the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.metrics.summary import MetricSummary, written
from parity.report.terminal import COLOURS, NAMED, certificate, more, whole
from parity.report.words import versions


def show(console: Console, summary: MetricSummary, *, listed: int | None = NAMED) -> None:
    """The verdict in a sentence, and what both said after each update. listed: so many updates, from the first that differs;
    None: all."""
    console.print(Text(summary.sentence(), style=COLOURS[summary.verdict]), soft_wrap=True)
    if summary.twin:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for header in ("after update", "reference", "twin"):
            table.add_column(header, no_wrap=True)
        start = max(0, (summary.first or 1) - 1)
        rows = list(zip(summary.reference, summary.twin, strict=True))
        for number, (ours, theirs) in list(enumerate(rows, 1))[start:][:listed]:
            table.add_row(str(number), written(ours), written(theirs))
        table.add_row("the end", *map(written, summary.ends))
        console.print()
        whole(console, table)
        more(console, len(rows[start:]) - len(rows[start:][:listed]))
    if summary.circumstances is not None:
        console.print(Text(f"\n{certificate(summary.circumstances, versions())}", style="dim"), soft_wrap=True)
