"""One report, three ways: the terminal, JSON, one HTML page."""

from __future__ import annotations

import base64
import json
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata

import jinja2
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.compare.results import Result
from parity.messages import Message, say, several, term
from parity.numbers.noise import ACCURACY, M
from parity.report import language
from parity.trace.source import Site
from parity.verdict.findings import Finding, Report, merge

STAGES = {
    "census": say("parameters and buffers: names, shapes, trained or not"),
    "data": say("the batch that each side sees"),
    "forward": say("every layer's output, every named intermediate"),
    "losses": say("each term, then the sums"),
    "gradients": say("of activations and parameters"),
    "update": say("the change of each parameter"),
    "state": say("buffers afterwards, and what was clipped"),
}
COLOURS = {"same": "green", "noise": "green", "explained": "cyan", "uncompared": "yellow", "same up to summary": "yellow",
           "diverged": "bold red"}
_PLACES, NAMED, ROWS = 8, 3, 200  # how many of a kind are shown before "and N more"


class Summary:
    """All results of one run, and what a reader asks of them."""

    def __init__(self, results: Sequence[Result], ran: dict | None = None) -> None:
        """ran: versions of what ran elsewhere; without them those of this process."""
        self._ran = ran
        self.results = list(results)
        self.merged = merge("all", [result.report for result in self.results])

    @property
    def verdict(self) -> str:
        return self.merged.verdict

    @property
    def versions(self) -> dict:
        return versions() if self._ran is None else self._ran

    @property
    def broken(self) -> list[Result]:
        return [result for result in self.results if result.report.verdict == "diverged"]

    @property
    def headline(self) -> tuple[Result, Finding] | None:
        """The first divergence of the first program that diverges: modules come before the networks they are in."""
        return next(((result, result.report.first) for result in self.broken), None)

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.results)

    def sentence(self) -> Message:
        """The verdict in one sentence."""
        if self.headline is None:
            runs = several("{count} run", "{count} runs", len(self.results))
            return say("The same computation: {runs}, {compared}.", runs=runs, compared=agreed(self.merged))
        result, first = self.headline
        return say("Diverged. First in {case}, stage {stage}: {where}.", case=str(result.case), stage=term(first.key.stage),
                   where=divergence(first))

    def places(self) -> list[tuple[Finding, list[Result]]]:
        """Independent faults, one for each source line: the first finding there, and the results in which it shows."""
        found: dict[object, tuple[Finding, list[Result]]] = {}
        for result in self.broken:
            for finding in result.report.places:
                line = finding.twin or finding.reference or (finding.key.module, finding.variable)
                results = found.setdefault(line, (finding, []))[1]
                if result not in results:
                    results.append(result)
        return list(found.values())

    def rungs(self) -> list[dict]:
        """The ladder: for each stage, how far apart the sides are there, and whether it is broken."""
        diverged = [finding for finding in self.merged.findings if finding.verdict.value == "diverged"]
        first = self.headline[1].key.stage if self.headline else None
        rungs = []
        for stage, meaning in STAGES.items():
            broken = sum(finding.key.stage == stage for finding in diverged)
            apart = _of(self.merged.largest, "float64", (stage,))
            measured = any(stage in stages for stages in self.merged.largest.values()) or stage == "census" or broken
            rungs.append({"stage": stage, "meaning": meaning, "broken": broken, "first": stage == first,
                          "status": "broken" if broken else "good" if measured else "not run", "title": term(stage),
                          "detail": say("largest float64 distance {distance}", distance=short(apart)) if apart is not None
                          else None})
        return rungs


def agreed(merged: Report) -> Message:
    """How many values were compared, where none diverged, in words."""
    explained = merged.counts["explained"]
    if explained:
        return say("{count} values compared, none diverged, {explained} explained", count=merged.compared, explained=explained)
    return say("{count} values compared, none diverged", count=merged.compared)


def divergence(first: Finding) -> Message:
    """A finding in one line: where, how far, why."""
    values = {"place": place(first), "line": first.twin or first.reference, "distance": distance(first), "cause": first.cause}
    if values["line"] and first.cause:
        return say("{place} at {line}; {distance}; likely cause: {cause}", **values)
    if values["line"]:
        return say("{place} at {line}; {distance}", **values)
    return say("{place}; {distance}; likely cause: {cause}", **values) if first.cause else say("{place}; {distance}", **values)


def place(finding: Finding) -> Message:
    """The module and the variable, in words."""
    values = {"module": finding.key.module or finding.subject, "variable": finding.variable}
    if finding.key.function:
        return say("{module}, variable {variable} in {function}()", function=finding.key.function, **values)
    return say("{module}, variable {variable}", **values)


def distance(finding: Finding) -> str:
    """How far apart, in words."""
    if finding.deviation.trouble:
        return finding.deviation.trouble
    values = {"distance": finding.deviation.distance, "multiple": finding.floor_multiple}
    in_training = finding.key.step > 0  # there the reference's own noise is the unit in both lanes
    if finding.lane == "float32" and not in_training:
        return say("{distance:.3g} apart, {multiple:.3g} times the reference's own error", **values)
    return say("{distance:.3g} apart, {multiple:.3g} noise floors", **values)


def versions() -> dict[str, str]:
    """What ran: packages, Python, machine."""
    from parity.frameworks import PaddleFramework, TorchFramework
    try:
        own = metadata.version("paddle-parity")
    except metadata.PackageNotFoundError:
        own = "not installed"
    return {"paddle-parity": own, "torch": TorchFramework().version, "paddle": PaddleFramework().version,
            "numpy": np.__version__, "python": platform.python_version(), "platform": platform.platform(terse=True)}


def row(result: Result) -> dict:
    """The figures of one case: JSON's `subjects`, the tables' rows. A figure is None where nothing was measured."""
    report = result.report
    forward = ("forward", "losses", "state")
    return {"subject": result.case.subject.name, "title": result.case.title, "mode": result.case.mode,
            "calls": result.case.subject.calls, "verdict": report.verdict, "compared": report.compared,
            "float64_forward": _of(report.largest, "float64", forward),
            "float64_gradients": _of(report.largest, "float64", ("gradients",)),
            "float64_floors": _of(report.multiples, "float64"), "float32_errors": _of(report.multiples, "float32"),
            "seconds": round(result.seconds, 3)}


def _of(table: dict[str, dict[str, float]], lane: str, stages: Iterable[str] | None = None) -> float | None:
    """The largest entry of a lane, of its free run first: there each side feeds itself."""
    values = [value for key, found in table.items() if key.startswith(lane) and not (lane == "float64" and "replay" in key)
              for stage, value in found.items() if stages is None or stage in stages]
    return max(values, default=None)


def to_json(summary: Summary) -> str:
    """The report as a JSON document, strict: no NaN, no Infinity."""
    counts = {"compared": summary.merged.compared, **Report.to_json(summary.merged)["counts"]}
    first = summary.headline
    findings = [_located(result, finding) for result in summary.results for finding in result.report.findings]
    subjects = []
    for result in summary.results:
        whole = result.report.to_json()
        del whole["findings"]  # they are at the top level
        subjects.append({**whole, **row(result)})
    document = {"verdict": summary.verdict, "counts": counts, "remarks": summary.merged.remarks,
                "first": _located(*first) if first else None,
                "findings": findings, "subjects": subjects, "seconds": round(summary.seconds, 3), "versions": summary.versions}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _located(result: Result, finding: Finding) -> dict:
    return {**finding.to_json(), "title": result.case.title, "mode": result.case.mode}


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
    for remark in summary.merged.remarks:
        console.print(Text(f"\nremark: {remark}", style="yellow"), soft_wrap=True)
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
        table.add_row(figures["title"], figures["mode"], Text(figures["verdict"], COLOURS[figures["verdict"]]),
                      str(figures["compared"]), short(figures["float64_forward"]), short(figures["float64_gradients"]),
                      short(figures["float64_floors"]), short(figures["float32_errors"]), f"{result.seconds:.1f}")
    return table


def short(value: float | None) -> str:
    """A figure of a table, two digits: 6.2e-16, 0.31, 4.0."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:.2f}" if 0.01 <= value < 10 else f"{value:.0f}" if 10 <= value < 1000 else f"{value:.1e}"


def more(console: Console, left: int) -> None:
    """What a list has beyond the entries shown."""
    if left > 0:
        console.print(Text(f"  and {left} more (--json FILE has all)"))


def to_html(summary: Summary, *, title: str = say("Parity report"), picture: bytes | None = None, caption: str = "") -> str:
    """One page that needs nothing else. picture: a PNG to show on it."""
    diverged = [(result.case, finding) for result in summary.results for finding in result.report.diverged]
    uncompared = [(result.case, finding) for result in summary.results for finding in result.report.uncompared]
    return page(
        "report.html", title=title, verdict=summary.verdict, headline=summary.headline, sentence=summary.sentence(),
        rows=[row(result) for result in summary.results], rungs=summary.rungs(), places=summary.places(),
        diverged=diverged[:ROWS], diverged_count=len(diverged), uncompared=uncompared[:ROWS],
        uncompared_count=len(uncompared), limits={"M": M, "accuracy": ACCURACY}, remarks=summary.merged.remarks,
        picture=base64.b64encode(picture).decode() if picture else None, caption=caption, versions=summary.versions)


def page(template: str, **values: object) -> str:
    """One of the templates, as a page that needs nothing else; every page has the versions at its foot."""
    environment = jinja2.Environment(loader=jinja2.PackageLoader("parity.report"), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, extensions=["jinja2.ext.i18n"])
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(language.page_gettext, language.page_ngettext, newstyle=True)
    environment.filters |= {"short": short, "site": _site, "distance": distance, "place": place, "term": term,
                            "plain": language.plain}
    environment.globals |= {"say": say, "languages": language.NAMES}
    return environment.get_template(template).render(**{**values, "versions": values.get("versions") or versions()})


def _site(site: Site | None) -> dict:
    return {"place": str(site) if site else say("no such place"), "text": site.text if site else ""}
