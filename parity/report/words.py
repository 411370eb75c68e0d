"""A verdict in words and figures, as every report says them: findings, counts, rows of a table, versions."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

import numpy as np

from parity.compare.results import Result
from parity.messages import Message, say, several
from parity.verdict.findings import Finding, Report

STAGES = {
    "census": say("parameters and buffers: names, shapes, trained or not"),
    "data": say("the batch that each side sees"),
    "forward": say("every layer's output, every named intermediate"),
    "losses": say("each term, then the sums"),
    "gradients": say("of activations and parameters"),
    "update": say("the change of each parameter"),
    "state": say("buffers afterwards, and what was clipped"),
}


def agreed(merged: Report) -> Message:
    """How many values were compared, where none diverged, in words."""
    explained = merged.counts["explained"]
    if explained:
        return say("{count} values compared, none diverged, {explained} explained", count=merged.compared, explained=explained)
    return say("{count} values compared, none diverged", count=merged.compared)


def explanations(merged: Report) -> list[Message]:
    """Which differences of the frameworks account for how many values, and how far apart these are without them."""
    found: dict[str, list[Finding]] = {}
    for finding in merged.findings:
        if finding.verdict.value == "explained":
            found.setdefault(finding.cause, []).append(finding)
    return [several("{count} value is explained by {cause}; it is {multiple} floors apart",
                    "{count} values are explained by {cause}; they are up to {multiple} floors apart", len(findings), cause=cause,
                    multiple=short(max(finding.floor_multiple for finding in findings)))
            for cause, findings in sorted(found.items(), key=lambda each: -len(each[1]))]


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
    if not finding.floor:
        return say("{distance:.3g} apart, where nothing rounds and values have to be equal", distance=finding.deviation.distance)
    values = {"distance": finding.deviation.distance, "multiple": finding.floor_multiple}
    in_training = finding.key.step > 0  # there the reference's own noise is the unit in both lanes
    if finding.lane == "float32" and not in_training:
        return say("{distance:.3g} apart, {multiple:.3g} times the reference's own error", **values)
    return say("{distance:.3g} apart, {multiple:.3g} noise floors", **values)


def undecided(report: Report) -> Message:
    """What keeps a report from saying `same` though nothing diverged, in one sentence."""
    unseen = report.undecided
    return say("Undecided: {values}. First {where}: {why}.", values=several(
        "{count} value that has to be the same could not be seen", "{count} values that have to be the same could not be seen",
        len(unseen)), where=str(unseen[0].key), why=unseen[0].deviation.trouble or unseen[0].cause)


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
            "float64_forward": largest(report.largest, "float64", forward),
            "float64_gradients": largest(report.largest, "float64", ("gradients",)),
            "float64_floors": largest(report.multiples, "float64"), "float32_errors": largest(report.multiples, "float32"),
            "seconds": round(result.seconds, 3)}


def largest(table: dict[str, dict[str, float]], lane: str, stages: Iterable[str] | None = None) -> float | None:
    """The largest entry of a lane, of its free run first: there each side feeds itself."""
    values = [value for key, found in table.items() if key.startswith(lane) and not (lane == "float64" and "replay" in key)
              for stage, value in found.items() if stages is None or stage in stages]
    return max(values, default=None)


def short(value: float | None) -> str:
    """A figure of a table, two digits: 6.2e-16, 0.31, 4.0."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:.2f}" if 0.01 <= value < 10 else f"{value:.0f}" if 10 <= value < 1000 else f"{value:.1e}"
