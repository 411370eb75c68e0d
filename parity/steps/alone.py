"""What to make of a step that diverged: it is made alone, as often as there are questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as with_changes
from typing import Any

import numpy as np

from parity.differences.difference import Difference
from parity.differences.explaining import acting_in, explain, imitating, with_verdict
from parity.messages import say
from parity.numbers.arrays import Verdict
from parity.numbers.noise import M
from parity.numbers.strata import larger
from parity.steps.again import MadeAgain
from parity.steps.programs import Programs
from parity.steps.reference import Progress, ReferenceStep, floors_alone
from parity.steps.remembered import Remembered
from parity.steps.result import StepsReport
from parity.steps.state import carry_back, entries, joined, known_to
from parity.trace.events import Key
from parity.verdict.counterfactual import Righting
from parity.verdict.findings import Counterfactual, Finding, Report
from parity.verdict.judge import Judge, replaced
from parity.verdict.sinks import Against, Store
from weights_convert import ConversionError


class Asked:
    """What to make of a step that diverged: it is made alone, as often as there are questions.

    Is it rounding, grown by chaos? In a free run the reference makes that step from the state that the twin started it from. If
    the two are the same then, the twin is where rounding and chaos have brought it. Is it a known difference of the frameworks?
    The reference makes the step while torch imitates Paddle. Otherwise the findings of the step alone stand, in which no older
    difference is mixed. again: the reference of a recording, as it runs here.

    What is kept beside weights (a hidden state, a running baseline) is the twin's in that state, too, as long as it is right: alike
    when both were built, and at the end of each step since, of the free run or of the step alone. What is not (a rate or a decay
    that one side has otherwise, a baseline that it moves otherwise) stays each side's own, and so is found where it acts. Beside a
    recording all of it does.
    """

    def __init__(self, both: Programs, draws: int, mode: str, result: StepsReport, tell: Progress,
                 differences: tuple[Difference, ...], again: MadeAgain | None = None) -> None:
        self._both, self._draws, self._mode, self._result, self._tell = both, draws, mode, result, tell
        self._again = again
        self._differences = differences
        self._known: list[Difference] = []  # those that have explained an earlier step
        self._unlike = Remembered(both.remembered(0)).unlike(both.remembered(1))  # names under which the two keep something else
        self._alike: set[str] = set()  # names under which they keep the same after the step that is asked about, made alone

    def about(self, step: ReferenceStep, start: Mapping[str, Any], found: Report) -> Report:
        """The report to go by. start: what the twin started the step from; in resync mode what it alone knew of it."""
        free = self._mode == "free"
        if not free and not self._differences and not replaced(found):
            return found
        if self._again is not None:
            self._tell(step.number, "reference, as it runs here")
            known = self._again.step(step.number)
            if known is None:
                self._result.report.remarks.append(say("The reference computes something else here than what was recorded: known "
                                                       "differences of the frameworks were not looked for."))
                return found
            self._both, step = self._again.programs, known
        both = self._both
        try:
            before = step.before
            if free:
                before = joined(carry_back(start, both.plans, before["networks"], both.aliases()), both.private_of(before))
                if step.remembered is not None:
                    before = both.remembering_as_twin(before, start, self._unlike)
            start = start if free else joined(both.for_twin(step.before), start)
        except (ConversionError, KeyError):  # the twin has other parameters than the reference
            return found
        if known_to(before) != known_to(step.before):  # nor can a step be made from half a state
            return found
        after = both.state(1) if free else both.private(1)
        alone = Alone(both, step.number, step.batch, before, start, self._draws, self._mode, self._tell)
        report = self._judged(step.number, alone, found)
        self._alike = alone.alike
        if report.diverged and not self._result.report.diverged:  # nothing was wrong before it ran
            report.counterfactual = alone.righted(found, report)
        both.load(1, after if free else {**start, **after})
        if free:
            self._result.judged_alone[step.number] = report.verdict
        return report

    def go_on(self, step: ReferenceStep) -> None:
        """The twin has made this step: what it keeps beside weights is right no more where it is something else than the
        reference's, both after that step and after the step alone."""
        if step.remembered is not None:
            self._unlike |= step.remembered.unlike(self._both.remembered(1)) - self._alike
        self._alike = set()

    def _judged(self, number: int, alone: Alone, found: Report) -> Report:
        if self._known:
            with imitating(self._known):
                report = alone.compared(plain=False)
            if not report.diverged:
                return with_verdict(found, Verdict.EXPLAINED, self._cause())
        report = found
        if self._mode != "free" and not found.diverged:
            report = alone.compared()
            if not report.diverged:
                return found
        elif self._mode == "free":
            report = alone.compared()
            if not report.diverged:
                left = f"what {self._cause()} has left" if self._known else "rounding, grown by chaos"
                cause = f"{left}: step {number} alone, from the twin's state, is the same"
                found.forgive(cause)
                unseen = {finding.key for finding in report.undecided}
                found.settle(lambda finding: finding.key not in unseen, cause)
                return found
        acting = acting_in(alone.reference, self._differences) if self._differences else []
        report = explain(report, lambda _: alone.compared(plain=False), acting)
        if not report.diverged:
            self._known += [difference for difference in acting if difference not in self._known
                            and any(difference.title in (finding.cause or "") for finding in report.findings)]
        return report

    def _cause(self) -> str:
        return "a difference of the frameworks: " + " and ".join(f"{one.name} ({one.title})" for one in self._known)


class Alone:
    """One step of both sides from one state, in a replay."""

    def __init__(self, both: Programs, number: int, batch: Mapping[str, np.ndarray], before: Mapping[str, Any],
                 start: Mapping[str, Any], draws: int, mode: str, tell: Progress) -> None:
        self._both, self._number, self._batch, self._before, self._start = both, number, batch, before, start
        self._draws, self._mode, self._tell = draws, mode, tell
        self._floors: dict[Key, float] | None = None
        self._plain: tuple[Store, Against] | None = None  # where the reference does what it always does
        self._remembered: list[Remembered] = []  # at the end of each run of the reference; of the first, rounding is measured
        self.alike: set[str] = set()  # names under which the two keep the same then, in one of them
        self._gone_on = False  # whether modules went on with their own values: what is behind them tells no place apart

    def reference(self) -> Store:
        """Its step."""
        store = Store()
        self._tell(self._number, "reference, from the twin's state")
        self._both.load(0, self._before)
        self._both.step(0, self._number, self._batch, store, measure=True)
        self._remembered[1:] = [Remembered(self._both.remembered(0), self._both.lane, *self._remembered[:1])]
        return store

    def compared(self, *, plain: bool = True) -> Report:
        """Both sides' step, as torch is now (plain: as it always is). What rounding does to it is measured once, and again where
        modules are to go on with their own values: of those that diverge, what follows from the reference's says nothing."""
        store = self.reference()
        report = self._beside(store, self._draws if self._floors is None else 0, plain=plain)
        while not report.diverged and (unseen := replaced(report) - store.apart):
            store.apart |= unseen
            self._gone_on = True
            report = self._beside(store, self._draws, plain=plain)
        return report

    def _beside(self, store: Store, draws: int, *, plain: bool) -> Report:
        """The twin's step beside the reference's."""
        both, subject = self._both, self._both.subject
        floors, _ = floors_alone(both, self._number, self._batch, store, self._before, draws, self._tell,
                                 remembered=self._remembered[-1])
        self._floors = self._floors or floors
        floors = {key: larger(floor, self._floors.get(key, 0.0)) for key, floor in floors.items()}
        self._tell(self._number, "twin, judged alone")
        both.load(1, self._start)
        against = Against(store, floors, M)
        failure = both.twin_step(self._number, self._batch, against, store.replayed())
        if failure is None:
            kept = both.remembered(1)
            self.alike |= kept.keys() - self._remembered[-1].unlike(kept)
        report = Report(subject.name)
        judge = Judge(subject.name, subject.pair, both.lane, self._mode, store, floors, M, start=entries(self._before),
                      replayed=True)
        judge.judge(against, failure, report)
        if plain:
            self._plain = store, against
        return report

    def righted(self, found: Report, report: Report) -> Counterfactual | None:
        """What remains of the step as it was `found`, once the places of its report are right: the twin's step once more, with the
        reference's values there. None where that cannot be told."""
        if self._gone_on or self._both.lane != "float64" or any(finding.key.stage == "census" for finding in report.diverged):
            return None
        if self._plain is None:
            self.compared()
        store, replayed = self._plain
        alone = Report(report.subject, [with_changes(finding, run="replay") for finding in report.findings])
        free = [with_changes(finding, run="free") for finding in found.findings]
        asked = Report(report.subject, [*free, *alone.findings])
        righting = Righting.of(asked, replayed, _places(alone))
        if righting is None:
            return None
        against = replayed
        if righting.keys:
            self._tell(self._number, "twin, with the reference's values at the places")
            self._both.load(1, self._start)
            against = replayed.anew()
            if self._both.twin_step(self._number, self._batch, against, store.replayed(), righting.keys) is not None:
                return None
        return righting.told(asked, store, replayed, against)


def _places(alone: Report) -> list[Finding]:
    """Of a step alone. Its graph is whole, so what goes wrong in a forward comes back with the gradients of all before it: these
    are places where nothing else is."""
    forward = [finding for finding in alone.findings if finding.key.stage in ("data", "forward", "losses")]
    return (Report(alone.subject, forward) if any(finding in alone.diverged for finding in forward) else alone).places
