"""The report as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from parity.compare.results import Result
from parity.numbers.noise import ACCURACY, M
from parity.report.circumstances import Circumstances
from parity.report.summary import Summary
from parity.report.words import distance, explanations, row, short
from parity.verdict.findings import Finding

COLOURS = {"same": "green", "noise": "green", "explained": "cyan", "uncompared": "yellow", "undecided": "yellow",
           "same up to summary": "yellow", "diverged": "bold red"}
NAMED, _PLACES = 3, 8  # how many of a kind are shown before "and N more"


def show(console: Console, summary: Summary, *, listed: int | None = NAMED) -> None:
    """The verdict in a sentence, its proof, the table, what was not compared, and what the report was made of.

    listed: how many are named of what was not compared; None: all.
    """
    console.print(Text(str(summary.sentence()), style=COLOURS[summary.verdict]), soft_wrap=True)
    if summary.headline is not None:
        _divergence(console, summary, *summary.headline)
    reports = [result.report for result in summary.results]
    name_some(console, "values that have to be the same could not be seen", [f for report in reports for f in report.undecided],
              listed=listed)
    for sentence in explanations(summary.merged):
        console.print(Text(f"\n{sentence}"), soft_wrap=True)
    console.print()
    whole(console, _table(summary, console.width))
    console.print(Text(f"\nfloat64: largest distance, relative, and in noise floors (diverged above {M:g})\n"
                       f"float32: error in multiples of the reference's own (diverged above {ACCURACY:g})", style="dim"))
    for remark in summary.merged.remarks:
        console.print(Text(f"\nremark: {remark}", style="yellow"), soft_wrap=True)
    uncompared = [finding for report in reports for finding in report.uncompared]
    name_some(console, "values were not compared", uncompared, "no partner", listed=listed)
    console.print(Text(f"\n{certificate(summary.circumstances, summary.versions)}", style="dim"), soft_wrap=True)


def _divergence(console: Console, summary: Summary, result: Result, first: Finding) -> None:
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
    if result.report.counterfactual is not None:
        console.print(Text(f"  {result.case}: {result.report.counterfactual.sentence}", style="bold"), soft_wrap=True)


def certificate(made: Circumstances, versions: Mapping[str, str]) -> str:
    """In a few lines: what was typed, when, with what installed, and the hashes of what was read."""
    command = [made.command] if made.command else []
    return "\n".join([*command, *(f"{path}: SHA-256 {digest}" for path, digest in made.files.items()),
                      f"{made.date:%Y-%m-%d %H:%M} UTC",
                      ", ".join(f"{name} {version}" for name, version in versions.items() if not name.endswith("platform"))])


def whole(console: Console, table: Table) -> None:
    """A table at its full width: where the console is narrower its lines are longer, and no word of it is cut."""
    table.width = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    console.print(table, crop=False, soft_wrap=True)


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
              place: Callable[[Finding], str] = lambda finding: "", listed: int | None = NAMED) -> None:
    """The first findings of a kind, each with what is wrong; nothing where there are none.

    otherwise: what to say of one without a reason. place: what stands before its key. listed: so many; None: all.
    """
    if not findings:
        return
    console.print(Text(f"\n{len(findings)} {what}:", style="yellow"))
    for finding in findings[:listed]:
        reason = finding.deviation.trouble or finding.cause or otherwise
        console.print(Text(f"  {place(finding)}{finding.key} ({finding.lane}): {reason}"), soft_wrap=True)
    more(console, len(findings[listed or len(findings):]))


def more(console: Console, left: int) -> None:
    """What a list has beyond the entries shown."""
    if left > 0:
        console.print(Text(f"  and {left} more (--json FILE has all)"))
