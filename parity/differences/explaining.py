"""Explaining divergences: is a finding gone once the reference does what Paddle is known to do?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, NamedTuple

from parity import ladder
from parity.compare import Verdict
from parity.differences.difference import Difference
from parity.findings import LANES, Finding, Report
from parity.pair import Subject
from parity.wording import Message, say, together


class _Cause(NamedTuple):
    differences: Sequence[Difference]
    verdict: Verdict

    def said(self) -> Message:
        named = together((say("{name} ({title})", name=difference.name, title=say(difference.title))
                          for difference in self.differences), "; ")
        return say("a difference of the frameworks: {differences}", differences=named)


def explain(subject: Subject, report: Report, registry: Iterable[Difference], **options: Any) -> Report:
    """The report with `explained` wherever a difference of the registry accounts for a divergence.

    The comparison is made again with the reference under each imitation, then under all that acted together. A finding
    is explained where it is no longer diverged and the imitation changed something; `cause` names the entries. Only
    entries that the installed Paddle shows are tried. A local that is `uncompared` once the difference is removed (all
    that counts agrees, it is written otherwise) becomes just that. Nothing diverged: nothing is run. options: of
    `ladder.compare`.
    """
    unexplained = [finding for finding in report.diverged if finding.lane in LANES]
    if not unexplained:
        return report
    options = {"lanes": [lane for lane in LANES if any(finding.lane == lane for finding in unexplained)], **options}
    causes: dict[tuple, _Cause] = {}
    acting = []
    for difference in registry:
        if difference.imitate is None or not difference.present:
            continue
        solved = _solved_by([difference], subject, unexplained, options)
        if solved is None:
            continue
        acting.append(difference)
        for place, verdict in solved.items():
            causes.setdefault(place, _Cause([difference], verdict))
        if len(causes) == len(unexplained):
            break
    left = [finding for finding in unexplained if _place(finding) not in causes]
    if left and len(acting) > 1:
        causes |= _together(acting, subject, left, options)
    return _with_causes(report, causes)


def _together(acting: list[Difference], subject: Subject, left: list[Finding], options: dict) -> dict[tuple, _Cause]:
    """What only several at once account for, with no more of them than it takes."""
    solved = _solved_by(acting, subject, left, options)
    for difference in tuple(acting) if solved else ():
        fewer = [other for other in acting if other is not difference]
        if len(fewer) > 1 and _solved_by(fewer, subject, left, options) == solved:
            acting = fewer
    return {place: _Cause(acting, verdict) for place, verdict in (solved or {}).items()}


def _solved_by(differences: Sequence[Difference], subject: Subject, findings: list[Finding],
               options: dict) -> dict[tuple, Verdict] | None:
    """Place -> new verdict, of findings that diverge no more; None where an imitation idled or broke the reference."""
    try:
        with ExitStack() as stack:
            acted = [stack.enter_context(difference.imitate()) for difference in differences]
            again = ladder.compare(subject, **options)
    except Exception:  # the reference raises under the imitation: so it explains nothing
        return None
    if not all(acted):
        return None
    if any(finding.variable == "(exception)" for finding in again.diverged):
        return {}  # what lies behind that place was not compared
    verdicts = {_place(finding): finding.verdict for finding in again.findings}
    solved = {}
    for finding in findings:
        verdict = verdicts.get(_place(finding), Verdict.SAME)
        if verdict in (Verdict.SAME, Verdict.NOISE):
            solved[_place(finding)] = Verdict.EXPLAINED
        elif verdict is Verdict.UNCOMPARED and finding.key.is_local:
            solved[_place(finding)] = Verdict.UNCOMPARED
    return solved


def _place(finding: Finding) -> tuple:
    return finding.lane, finding.run, finding.key


def _with_causes(report: Report, causes: dict[tuple, _Cause]) -> Report:
    findings, counts = [], Counter(report.counts)
    for finding in report.findings:
        cause = causes.get(_place(finding))
        if cause is not None and finding.verdict is Verdict.DIVERGED:
            finding = replace(finding, verdict=cause.verdict, cause=cause.said())
            counts[Verdict.DIVERGED] -= 1
            counts[cause.verdict] += 1
        findings.append(finding)
    return replace(report, findings=findings, counts=counts)
