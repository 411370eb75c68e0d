"""Explaining divergences: is a finding gone once the reference does what Paddle is known to do?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from parity.compare import ladder
from parity.declare.pair import Subject
from parity.differences.difference import Difference
from parity.messages import Message, say, together
from parity.numbers.arrays import Verdict
from parity.verdict.findings import LANES, Finding, Report


class _Cause(NamedTuple):
    differences: Sequence[Difference]
    verdict: Verdict

    def said(self) -> Message:
        named = together((say("{name} ({title})", name=difference.name, title=say(difference.title))
                          for difference in self.differences), "; ")
        return say("a difference of the frameworks: {differences}", differences=named)


Compare = Callable[[], Report]
"""Makes the comparison again, with torch as it is then."""


def explain(subject: Subject, report: Report, registry: Iterable[Difference], **options: Any) -> Report:
    """The report with `explained` wherever a difference of the registry accounts for a divergence.

    The comparison is made again with the reference under each imitation, then under all that acted together. A finding
    is explained where it is no longer diverged and the imitation changed something; `cause` names the entries. Only
    entries that the installed Paddle shows are tried. A local that is `uncompared` once the difference is removed (all
    that counts agrees, it is written otherwise) becomes just that. Nothing diverged: nothing is run. options: of
    `ladder.compare`.
    """
    options = {"lanes": [lane for lane in LANES if any(finding.lane == lane for finding in report.diverged)], **options}
    return explained(report, lambda: ladder.compare(subject, **options), registry)


def explained(report: Report, compare: Compare, registry: Iterable[Difference]) -> Report:
    """As `explain`, of any comparison."""
    unexplained = [finding for finding in report.diverged if finding.lane in LANES and finding.key.stage != "census"]
    if not unexplained:
        return report
    causes: dict[tuple, _Cause] = {}
    acting = []
    for difference in registry:
        if difference.imitate is None or not difference.present:
            continue
        solved = _solved_by([difference], compare, unexplained)
        if solved is None:
            continue
        acting.append(difference)
        for place, verdict in solved.items():
            causes.setdefault(place, _Cause([difference], verdict))
        if len(causes) == len(unexplained):
            break
    left = [finding for finding in unexplained if _place(finding) not in causes]
    if left and len(acting) > 1:
        causes |= _together(acting, compare, left)
    return _with_causes(report, causes)


def acting_in(run: Callable[[], object], registry: Iterable[Difference]) -> list[Difference]:
    """Those whose imitation changes something in what `run` does with torch; none where it raises under them."""
    tried = [difference for difference in registry if difference.imitate is not None and difference.present]
    try:
        with ExitStack() as stack:
            acted = [stack.enter_context(difference.imitate()) for difference in tried]
            run()
    except Exception:
        return []
    return [difference for difference, count in zip(tried, acted, strict=True) if count]


@contextmanager
def imitating(differences: Iterable[Difference]) -> Iterator[None]:
    """torch does for this time what Paddle does in all of these."""
    with ExitStack() as stack:
        for difference in differences:
            stack.enter_context(difference.imitate())
        yield


def _together(acting: list[Difference], compare: Compare, left: list[Finding]) -> dict[tuple, _Cause]:
    """What only several at once account for, with no more of them than it takes."""
    solved = _solved_by(acting, compare, left)
    for difference in tuple(acting) if solved else ():
        fewer = [other for other in acting if other is not difference]
        if len(fewer) > 1 and _solved_by(fewer, compare, left) == solved:
            acting = fewer
    return {place: _Cause(acting, verdict) for place, verdict in (solved or {}).items()}


def _solved_by(differences: Sequence[Difference], compare: Compare, findings: list[Finding]) -> dict[tuple, Verdict] | None:
    """Place -> new verdict, of findings that diverge no more; None where an imitation idled or broke the reference."""
    try:
        with ExitStack() as stack:
            acted = [stack.enter_context(difference.imitate()) for difference in differences]
            again = compare()
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


def with_verdict(report: Report, verdict: Verdict, cause: str) -> Report:
    """The report with this verdict for all that diverged."""
    findings = [replace(finding, verdict=verdict, cause=cause) if finding.verdict is Verdict.DIVERGED else finding
                for finding in report.findings]
    counts = Counter(report.counts)
    counts[verdict] += counts.pop(Verdict.DIVERGED, 0)
    return replace(report, findings=findings, counts=counts)


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
