"""The report as text for a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.numbers.noise import ACCURACY, M
from parity.report.summary import Summary, distance, explanations, row, short

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
            console.print(Text(f"  {site or finding.key.module}   {site.text if site else ''}\n"
                               f"      {finding.key}: {distance(finding)}\n      in {titles}"), soft_wrap=True)
        more(console, len(places) - _PLACES)
    for sentence in explanations(summary.merged):
        console.print(Text(f"\n{sentence}"), soft_wrap=True)
    for remark in summary.merged.remarks:
        console.print(Text(f"\nremark: {remark}", style="yellow"), soft_wrap=True)
    undecided = [finding for result in summary.results for finding in result.report.undecided]
    if undecided:
        console.print(Text(f"\n{len(undecided)} values that have to be the same could not be seen:", style="yellow"))
        for finding in undecided[:NAMED]:
            console.print(Text(f"  {finding.key} ({finding.lane}): {finding.deviation.trouble or finding.cause}"), soft_wrap=True)
        more(console, len(undecided) - NAMED)
    uncompared = [finding for result in summary.results for finding in result.report.uncompared]
    if uncompared:
        console.print(Text(f"\n{len(uncompared)} values were not compared:", style="yellow"))
        for finding in uncompared[:NAMED]:
            console.print(Text(f"  {finding.key} ({finding.lane}): "
                               f"{finding.deviation.trouble or finding.cause or 'no partner'}"), soft_wrap=True)
        more(console, len(uncompared) - NAMED)
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


def more(console: Console, left: int) -> None:
    """What a list has beyond the entries shown."""
    if left > 0:
        console.print(Text(f"  and {left} more (--json FILE has all)"))
