"""Explaining divergences: is a finding gone once the reference does what Paddle is known to do?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from parity.messages import Message, say, together
from parity.numbers.arrays import Verdict
from parity.verdict.findings import LANES, RAISED, Finding, Report

if TYPE_CHECKING:
    from parity.differences.difference import Difference
    from parity.differences.imitation import Acted
    from parity.numbers.arrays import Deviation


class _Cause(NamedTuple):
    differences: Sequence[Difference]
    verdict: Verdict

    def said(self) -> Message:
        named = together((say("{name} ({title})", name=difference.name, title=say(difference.title))
                          for difference in self.differences), "; ")
        return say("a difference of the frameworks: {differences}", differences=named)

    @property
    def is_material(self) -> bool:
        return any(difference.material for difference in self.differences)

    @property
    def is_of_data(self) -> bool:
        """Whether all that is material in it is a gradient of data."""
        return self.is_material and all(difference.of_data for difference in self.differences if difference.material)


Result = TypeVar("Result")

Compare = Callable[[Sequence[str]], Report]
"""Makes the comparison again in these lanes, with torch as it is then."""


class Account(NamedTuple):
    """A report in which divergences have their causes; the differences that are such causes; all that occur in the run.
    at_first: those that changed anything in the first comparison that was made for it, which was under all at once."""

    report: Report
    causes: list[Difference]
    acting: list[Difference]
    at_first: Sequence[Difference] = ()


def explain(report: Report, compare: Compare, registry: Iterable[Difference] | None = None) -> Report:
    """The report with `explained` wherever a difference of the registry (None: `differences.ALL`) accounts for a divergence.

    The comparison is made again with the reference under all imitations at once, which tells what occurs in it, and then under
    fewer, as long as that explains as much. A finding is explained where it is no longer diverged and the imitation changed
    something; `cause` names the entries. What a material one accounts for stays diverged, and has its cause, but for gradients that
    data alone have lost. Only entries that the installed Paddle shows are tried. A local that is `uncompared` once the difference
    is removed (all that counts agrees, it is written otherwise) becomes just that. Nothing diverged: nothing is run.
    """
    return account(report, compare, registry).report


def account(report: Report, compare: Compare, registry: Iterable[Difference] | None = None,
            forward: Callable[[], Report] | None = None) -> Account:
    """`explain`, with what accounts for what was explained. forward: makes the same comparison without its backwards; asked where
    that tells as much."""
    unexplained = [finding for finding in report.diverged if finding.lane in LANES and finding.key.stage != "census"]
    if not unexplained:
        return Account(report, [], [])
    if registry is None:
        from parity.differences.registry import ALL as registry  # it needs both frameworks
    lanes = [lane for lane in LANES if any(finding.lane == lane for finding in unexplained)]
    again = _Again(lambda: compare(lanes), unexplained, forward)
    imitable = _imitable(registry)
    acting = again.acting(imitable)
    together = again.under(acting)
    causes = _one_less(acting, again) if together is not None and not together.spoilt else _one_by_one(acting, again)
    used = [difference for difference in acting if any(difference in cause.differences for cause in causes.values())]
    return Account(_with_causes(report, causes), used, acting, (again.under(imitable) or _NOTHING).acted)


def acting_in(run: Callable[[], object], registry: Iterable[Difference]) -> list[Difference]:
    """Those whose imitation changes something in what `run` does with torch; none where it raises under them."""
    try:
        return [difference for difference in _under(_imitable(registry), run)[0] if difference.present]
    except Exception:
        return []


def _imitable(registry: Iterable[Difference]) -> list[Difference]:
    return [difference for difference in registry if difference.imitate is not None]


def _under(differences: Iterable[Difference], run: Callable[[], Result]) -> tuple[list[Difference], Result]:
    """Those that changed something in what `run` did while torch imitated them all, and what came of it."""
    differences = list(differences)
    with _imitated(differences) as acted:
        result = run()
    return [difference for difference, count in zip(differences, acted, strict=True) if count], result


@contextmanager
def imitating(differences: Iterable[Difference]) -> Iterator[None]:
    """torch does for this time what Paddle does in all of these."""
    with _imitated(list(differences)):
        yield


@contextmanager
def _imitated(differences: Sequence[Difference]) -> Iterator[list[Acted]]:
    if not differences:
        yield []
        return
    from parity.differences.imitation import at_once  # it needs torch
    with at_once(difference.imitate for difference in differences) as acted:
        yield acted


class _Outcome(NamedTuple):
    """What came of a comparison under imitations.

    solved: place -> new verdict, of findings that diverge no more. spoilt: places that diverge by far for the imitations alone.
    acted: those that changed anything. untouched: places that diverge at the same element, as far as before.
    """

    solved: dict[tuple, Verdict]
    spoilt: frozenset[tuple]
    acted: list[Difference]
    untouched: frozenset[tuple] = frozenset()


_NOTHING = _Outcome({}, frozenset(), [])
_AS_FAR = 1e-2  # of a distance: one that solved the place would take all of it away, and another put the very same back
_FAR = 1e3  # floors: farther than what a slightly other rounding makes of a value near the limit


class _Again:
    """The comparison made again under imitations; no set of them is tried twice."""

    def __init__(self, compare: Callable[[], Report], findings: list[Finding],
                 forward: Callable[[], Report] | None = None) -> None:
        self._compare, self._findings, self._forward = compare, findings, forward
        self._known: dict[tuple[str, ...], _Outcome | None] = {(): _NOTHING}

    def acting(self, differences: list[Difference]) -> list[Difference]:
        """Those whose operation occurs in the run at all, and which the installed Paddle shows: one comparison under all of them
        tells. Where it raises, all that alone do not."""
        together = self.under(differences)
        if together is None:
            return [difference for difference in differences if difference.present and self.solved_by([difference]) is not None]
        self._known.setdefault(_names(together.acted), together)  # the others have done nothing
        return [difference for difference in together.acted if difference.present]

    def left(self, causes: Container[tuple]) -> list[Finding]:
        """The findings whose places are not among these."""
        return [finding for finding in self._findings if _place(finding) not in causes]

    def solved_by(self, differences: Sequence[Difference]) -> dict[tuple, Verdict] | None:
        """Place -> new verdict, of findings that diverge no more; None where an imitation idled or broke the reference."""
        outcome = self.under(differences)
        return None if outcome is None or len(outcome.acted) < len(differences) else outcome.solved

    def under(self, differences: Sequence[Difference]) -> _Outcome | None:
        """None where the reference raises under the imitations: so they explain nothing."""
        names = _names(differences)
        if names not in self._known:
            try:
                acted, report = _under(differences, self._compare)
                self._known[names] = self._outcome(report, acted)
            except Exception:
                self._known[names] = None
        return self._known[names]

    def without(self, difference: Difference, kept: Sequence[Difference], best: _Outcome) -> _Outcome | None:
        """What comes of all but this one. best: of all. None as in `under`.

        A forward tells it where no gradient can answer: where this one changes only what is remembered, and leaves all other values
        alone, gradients stay as they are; where all the others do, gradients are what they were.
        """
        fewer = [other for other in kept if other is not difference]
        others = all(other.remembers for other in fewer)
        if self._forward is None or _names(fewer) in self._known or not (difference.remembers or others):
            return self.under(fewer)
        try:
            report = _under(fewer, self._forward)[1]
        except Exception:
            return self.under(fewer)
        outcome = self._outcome(report, fewer)
        solved = {place: verdict for place, verdict in outcome.solved.items() if not _is_gradient(place)}
        if others:
            return _Outcome(solved, outcome.spoilt, fewer)
        if any(place[-1].stage != "state" for place in outcome.spoilt | (best.solved.keys() - outcome.solved.keys())):
            return self.under(fewer)
        return _Outcome(solved | {place: verdict for place, verdict in best.solved.items() if _is_gradient(place)},
                        outcome.spoilt, fewer)

    def _outcome(self, report: Report, acted: list[Difference]) -> _Outcome:
        raised = min((finding.order for finding in report.diverged if finding.variable == RAISED), default=None)
        verdicts = {_place(finding): finding.verdict for finding in report.findings}
        solved = {}
        for finding in self._findings:
            if raised is not None and (finding.twin is None or finding.order > raised):
                continue  # what lies behind that place was not compared
            verdict = verdicts.get(_place(finding), Verdict.SAME)
            if verdict in (Verdict.SAME, Verdict.NOISE):
                solved[_place(finding)] = Verdict.EXPLAINED
            elif verdict is Verdict.UNCOMPARED and not finding.promised:
                solved[_place(finding)] = Verdict.UNCOMPARED
        known = set(map(_place, self._findings))
        spoilt = frozenset(_place(finding) for finding in report.diverged
                           if finding.floor_multiple > _FAR and finding.key.stage != "census") - known
        now = {_place(finding): finding.deviation for finding in report.diverged}
        untouched = frozenset(place for finding in self._findings if (place := _place(finding)) in now
                              and _is_as_far(now[place], finding.deviation))
        return _Outcome(solved, spoilt, acted, untouched)


def _one_less(acting: list[Difference], again: _Again) -> dict[tuple, _Cause]:
    """Place -> its cause, where all of them together do no harm: a place needs those without which it diverges."""
    kept, best = acting, again.under(acting) or _NOTHING
    needs: dict[tuple, list[Difference]] = {}
    for difference in acting if best.solved else ():
        outcome = again.without(difference, kept, best)
        if outcome is not None and best.solved.keys() <= outcome.solved.keys():
            kept, best = outcome.acted, outcome
            continue
        for place in best.solved.keys() - (outcome or _NOTHING).solved.keys():
            needs.setdefault(place, []).append(difference)
    return {place: _Cause([difference for difference in kept if difference in needs.get(place, kept)] or kept, verdict)
            for place, verdict in best.solved.items()}


def _one_by_one(acting: list[Difference], again: _Again) -> dict[tuple, _Cause]:
    """Place -> its cause, where one of them does what the twin does not: each alone, then all that acted for what is left.

    A place that all at once leave as it was, none of them changes: nothing is run for it.
    """
    causes: dict[tuple, _Cause] = {}
    untouched = (again.under(acting) or _NOTHING).untouched
    acting = list(acting) if again.left(untouched) else []
    for difference in tuple(acting):
        solved = again.solved_by([difference])
        if solved is None:
            acting.remove(difference)
            continue
        for place, verdict in solved.items():
            causes.setdefault(place, _Cause([difference], verdict))
        if not again.left(causes.keys() | untouched):
            return causes
    return causes | _together(acting, again, again.left(causes.keys() | untouched)) if len(acting) > 1 else causes


def _names(differences: Iterable[Difference]) -> tuple[str, ...]:
    return tuple(difference.name for difference in differences)


def _together(acting: list[Difference], again: _Again, left: list[Finding]) -> dict[tuple, _Cause]:
    """What only several at once account for, with no more of them than it takes."""
    def solved_by(differences: list[Difference]) -> dict[tuple, Verdict]:
        solved = again.solved_by(differences) or {}
        return {place: solved[place] for place in map(_place, left) if place in solved}

    solved = solved_by(acting)
    for difference in tuple(acting) if solved else ():
        fewer = [other for other in acting if other is not difference]
        if len(fewer) > 1 and solved_by(fewer) == solved:
            acting = fewer
    return {place: _Cause(acting, verdict) for place, verdict in solved.items()}


def _is_as_far(deviation: Deviation, other: Deviation) -> bool:
    if deviation.trouble or other.trouble:
        return deviation.trouble == other.trouble
    return deviation.index == other.index and abs(deviation.distance - other.distance) <= _AS_FAR * other.distance


def _place(finding: Finding) -> tuple:
    return finding.lane, finding.run, finding.key


def _is_gradient(place: tuple) -> bool:
    return place[-1].stage == "gradients"


def with_verdict(report: Report, verdict: Verdict, cause: str) -> Report:
    """The report with this verdict for all that diverged."""
    findings = [replace(finding, verdict=verdict, cause=cause) if finding.verdict is Verdict.DIVERGED else finding
                for finding in report.findings]
    counts = Counter(report.counts)
    counts[verdict] += counts.pop(Verdict.DIVERGED, 0)
    return replace(report, findings=findings, counts=counts, multiples=_judged(report, findings))


def _with_causes(report: Report, causes: dict[tuple, _Cause]) -> Report:
    findings, counts = [], Counter(report.counts)
    of_data = {place for place, cause in causes.items() if cause.is_of_data}
    if not report.census or any(place[-1].stage != "gradients" or not place[-1].is_activation_gradient for place in of_data):
        of_data = set()  # weights have lost a gradient; or there are none, and the inputs may be any other program's results
    for finding in report.findings:
        cause = causes.get(_place(finding))
        if cause is not None and cause.is_material and _place(finding) not in of_data:
            finding = replace(finding, cause=cause.said())
        elif cause is not None and finding.verdict is Verdict.DIVERGED:
            finding = replace(finding, verdict=cause.verdict, cause=cause.said())
            counts[Verdict.DIVERGED] -= 1
            counts[cause.verdict] += 1
        findings.append(finding)
    return replace(report, findings=findings, counts=counts, multiples=_judged(report, findings))


def _judged(report: Report, findings: list[Finding]) -> dict[str, dict[str, float]]:
    """The largest floor multiples without those of values that are explained: beside a verdict they would look as if they had
    been judged by it. What is neither noise nor diverged is within one floor."""
    multiples = {lane: dict(stages) for lane, stages in report.multiples.items()}
    for finding in findings:
        lane, stage = f"{finding.lane} {finding.run}", finding.key.stage
        if finding.verdict is Verdict.EXPLAINED and finding.floor_multiple == multiples.get(lane, {}).get(stage):
            multiples[lane][stage] = max((other.floor_multiple for other in findings if f"{other.lane} {other.run}" == lane
                                          and other.key.stage == stage and np.isfinite(other.floor_multiple)
                                          and other.verdict in (Verdict.NOISE, Verdict.DIVERGED)), default=1.0)
    return multiples
