"""A training that was followed, as terminal text, JSON and one HTML page."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.messages import say
from parity.numbers.noise import M
from parity.report.page import ROWS, page
from parity.report.problems import Checked, Problem
from parity.report.terminal import COLOURS, NAMED, certificate, name_some, whole
from parity.report.words import short, versions
from parity.steps.figures import rows, totals, when
from parity.steps.result import StepsReport
from parity.verdict.findings import Finding

if TYPE_CHECKING:
    from parity.steps.summary import Summary

SHOWN = 24  # steps in a table of the terminal


def show(console: Console, summary: Summary, *, listed: int | None = NAMED) -> None:
    """The verdict in a sentence, its proof, step by step, what was not compared, and what the report was made of.

    listed: how many are named of what was not compared; None: all.
    """
    console.print(Text(str(summary.sentence()), style=COLOURS[summary.verdict]), soft_wrap=True)
    if summary.first is not None:
        console.print(Text(f"\nFirst divergence: {when(summary.first)}", style="bold"))
        console.print(Text(str(summary.first)), soft_wrap=True)
        if summary.counterfactual is not None:
            console.print(Text(f"  {summary.counterfactual.sentence}", style="bold"), soft_wrap=True)
        whole(console, _ladder(summary))
    for each in summary.followed:
        console.print(Text(f"\n{each.lane} lane, {each.result.mode} run, {each.seconds:.0f} s", style="bold"))
        whole(console, _table(each.result))
    console.print(Text(f"\nLosses are the reference's; distances are relative to them. Worst value: in noise floors, "
                       f"diverged above {M:g}; the stage is that of the first divergence, else the worst value's", style="dim"))
    for sentence in summary.remarks():
        console.print(Text(sentence), soft_wrap=True)
    name_some(console, "values were not compared", summary.merged.uncompared, "no partner",
              lambda finding: f"step {finding.key.step}, ", listed=listed)
    if summary.faults and summary.first is None:
        console.print(Text(f"\n{', '.join(summary.faults)}: not to be seen in these steps. Some faults act in special situations "
                           f"only: those of the learning rate with --iteration 4 --steps 3", style="yellow"), soft_wrap=True)
    console.print(Text(f"\n{certificate(summary.circumstances, versions())}", style="dim"), soft_wrap=True)


def checked(summary: Summary) -> list[Checked]:
    """For machines: each lane, and where it parts first; what follows from that is no problem of its own."""
    return [Checked(f"{summary.merged.subject}, {each.lane}", each.seconds, [
        Problem.of(finding) for finding in ([report.first] if report.first else report.undecided)])
        for each in summary.followed for report in [each.result.report]]


def _table(result: StepsReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    names = list(totals(result))
    for header in ("step", *(text for name in names for text in (name.replace("_", " "), "differs", "noise")), "worst"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("at stage", no_wrap=True)
    all_rows = list(rows(result))
    kept = _some([row["step"] for row in all_rows], [row["step"] for row in all_rows if row["diverged"]][:1])
    for row in all_rows:
        if row["step"] not in kept:
            continue
        figures = []
        for name in names:
            loss = row["losses"].get(name)
            figures += [f"{loss['reference']:.5g}", short(loss["difference"]), short(loss["envelope"])] if loss else ["", "", ""]
        worst = Text(short(row["worst"]) if row["worst"] else "< 1", COLOURS["diverged" if row["diverged"] else "same"])
        table.add_row(str(row["step"]), *figures, worst, Text(row["where"] or ""))
    return table


def _some(steps: Sequence[int], wanted: Sequence[int]) -> set[int]:
    """Of many steps the first, the last, the wanted and evenly spaced ones."""
    if len(steps) <= SHOWN:
        return set(steps)
    every = math.ceil(len(steps) / SHOWN)
    return {steps[0], steps[-1], *wanted, *(step for step in steps if step % every == 0)}


def _ladder(summary: Summary) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), title_justify="left", title_style="bold",
                  title=f"\nThe ladder of step {max(1, summary.first.key.step)}")
    for rung in summary.rungs():
        status = f"{rung['broken']} diverged" if rung["broken"] else rung["status"]
        table.add_row(Text(rung["title"]), Text(status, COLOURS["diverged"] if rung["broken"] else "green"),
                      Text(rung["detail"] or ""), "<- first" if rung["first"] else "")
    return table


def to_json(summary: Summary) -> str:
    """The report as a JSON document, strict: no NaN, no Infinity."""
    whole = summary.merged.to_json()
    lanes = {}
    for each in summary.followed:
        lane = each.result.to_json()
        del lane["findings"], lane["lane"], lane["mode"], lane["counterfactual"]  # at the top level
        lanes[each.lane] = {**lane, "seconds": round(each.seconds, 3)}
    document = {"verdict": summary.verdict, "counts": whole["counts"], "first": whole["first"],
                "counterfactual": summary.counterfactual.to_json() if summary.counterfactual else None, "mode": summary.mode,
                "steps": summary.steps, "faults": summary.faults, "lanes": lanes, "findings": whole["findings"],
                "seconds": round(summary.seconds, 3), **summary.circumstances.to_json(), "versions": versions()}
    return json.dumps(strict(document), indent=1, allow_nan=False) + "\n"


def strict(value: object) -> object:
    """NaN and infinities as the strings "nan", "inf", "-inf": JSON has none."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(item) for item in value]
    return value


def to_html(summary: Summary, pictures: Mapping[str, bytes]) -> str:
    """One page that needs nothing else. pictures: what `picture.drawings` made of it."""
    first = summary.first
    diverged, uncompared = (list(_labelled(found)) for found in (summary.merged.diverged, summary.merged.uncompared))
    lanes = [{"name": each.lane, "losses": list(totals(each.result)), "rows": list(rows(each.result))} for each in summary.followed]
    return page("steps.html", title=say("Parity report: {run}", run=summary.run), verdict=summary.verdict,
                sentence=summary.sentence(), first=first, where=when(first) if first else None,
                counterfactual=summary.counterfactual, rungs=summary.rungs(), remarks=summary.remarks(),
                faults=summary.faults, lanes=lanes, diverged=diverged[:ROWS], diverged_count=len(diverged),
                uncompared=uncompared[:ROWS], uncompared_count=len(uncompared), M=M, made=summary.circumstances,
                pictures={language: base64.b64encode(drawn).decode() for language, drawn in pictures.items()})


def _labelled(findings: Sequence[Finding]) -> Iterator[tuple[int, Finding]]:
    return ((finding.key.step, finding) for finding in findings)
