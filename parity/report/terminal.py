"""The report as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.numbers.noise import ACCURACY, M
from parity.report.summary import Summary, distance, explanations, row, short
from parity.verdict.findings import Finding

COLOURS = {"same": "green", "noise": "green", "explained": "cyan", "uncompared": "yellow", "undecided": "yellow",
           "same up to summary": "yellow", "diverged": "bold red"}
NAMED, _PLACES = 3, 8  # how many of a kind are shown before "and N more"


def show(console: Console, summary: Summary) -> None:
    """Table, headline, independent places, what was not compared."""
    console.print(_table(summary, console.width))
    console.print(Text(f"\nfloat64: largest distance, relative, and in noise floors (diverged above {M:g})\n"
                       f"float32: error in multiples of the reference's own (diverged above {ACCURACY:g})", style="dim"))
    if summary.headline is not None:
        result, first = summary.headline
        console.print(Text(f"\nFirst divergence: {result.case}", style="bold"))
        console.print(Text(str(first)), soft_wrap=True)
        places = summary.places()
        if places:
            text = f"\nIndependent places ({len(places)}), with every module given the reference's values:"
            console.print(Text(text, style="bold"))
        for finding, results in places[:_PLACES]:
            site = finding.twin or finding.reference
            titles = ", ".join(str(result.case) for result in results)
            cause = f"\n      likely cause: {finding.cause}" if finding.cause else ""
            console.print(Text(f"  {site or finding.key.module}   {site.text if site else ''}\n"
                               f"      {finding.key}: {distance(finding)}{cause}\n      in {titles}"), soft_wrap=True)
        more(console, len(places) - _PLACES)
    for sentence in explanations(summary.merged):
        console.print(Text(f"\n{sentence}"), soft_wrap=True)
    for remark in summary.merged.remarks:
        console.print(Text(f"\nremark: {remark}", style="yellow"), soft_wrap=True)
    reports = [result.report for result in summary.results]
    name_some(console, "values that have to be the same could not be seen", [f for report in reports for f in report.undecided])
    name_some(console, "values were not compared", [f for report in reports for f in report.uncompared], "no partner")
    console.print(Text(f"\n{summary.sentence()}", style=COLOURS[summary.verdict]), soft_wrap=True)


def _table(summary: Summary, width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1 if width > 90 else 0, 0, 0), header_style="bold")
    table.add_column("program", no_wrap=True)
    table.add_column("mode", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for header in ("values", "float64\nforward", "float64\ngradient", "float64\nfloors", "float32\nerror", "time\n(s)"):
        table.add_column(header, justify="right", no_wrap=True)
    for result in summary.results:
        figures = row(result)
        table.add_row(Text(figures["title"]), figures["mode"], Text(figures["verdict"], COLOURS[figures["verdict"]]),
                      str(figures["compared"]), short(figures["float64_forward"]), short(figures["float64_gradients"]),
                      short(figures["float64_floors"]), short(figures["float32_errors"]), f"{result.seconds:.1f}")
    return table


def name_some(console: Console, what: str, findings: Sequence[Finding], otherwise: str | None = None,
              place: Callable[[Finding], str] = lambda finding: "") -> None:
    """The first findings of a kind, each with what is wrong; nothing where there are none.

    otherwise: what to say of one without a reason. place: what stands before its key.
    """
    if not findings:
        return
    console.print(Text(f"\n{len(findings)} {what}:", style="yellow"))
    for finding in findings[:NAMED]:
        reason = finding.deviation.trouble or finding.cause or otherwise
        console.print(Text(f"  {place(finding)}{finding.key} ({finding.lane}): {reason}"), soft_wrap=True)
    more(console, len(findings) - NAMED)


def more(console: Console, left: int) -> None:
    """What a list has beyond the entries shown."""
    if left > 0:
        console.print(Text(f"  and {left} more (--json FILE has all)"))
