"""One subject, settled with as few runs as it takes.

One pass comes first; where everything in it agrees, or all that does not is what the frameworks are known to do differently, the
float64 lane is settled. Noise draws, replay and places are for what it leaves open. The float32 lane asks how accurate the twin is,
which is no question where it computes something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from parity.blame import is_users
from parity.compare.chosen import may_hide, trials, weighed_otherwise
from parity.compare.ladder import Both, Kept, Progress, accuracy, climb, glance_at, grown
from parity.compare.righting import righted
from parity.differences.explaining import Account, account, imitating
from parity.messages import say
from parity.numbers.arrays import Verdict
from parity.trace.events import OPERATION
from parity.trace.source import calls_own
from parity.verdict.findings import Finding, Report

if TYPE_CHECKING:
    from parity.differences.difference import Difference

FAR = 1e6  # of an operation's own rounding; healthy deep networks grow to some 1e2
NEAR = 1e3  # of that, too: so far a draw is asked first whether it was rounding, which takes half a pass

Found = Callable[[Finding], None]
"""Told the first place as soon as it is known: before it has been measured beside the noise."""

Passed = Callable[[Report], None]
"""Told what the pass came to, before anything has been asked that may explain it."""


_WITH_OTHERS = say("with the weights that were given nothing differs that the two return: of what does, choices (topk, argmax, "
                   "a comparison) take nothing there; this is of other weights, shuffled and scaled, which choose otherwise")


class Settling:
    """quick: the float32 lane is not looked at where the two are the same in float64. operations: watch single operations too; of
    a user's pair they are watched anyway where neither a line nor a layer places the first divergence. choosing: try other
    weights where choices may hide something."""

    def __init__(self, both: Both, lanes: Iterable[str], *, quick: bool, operations: bool, tell: Progress, found: Found,
                 passed: Passed, choosing: bool = True) -> None:
        self._both, self._lanes, self._quick, self._operations, self._choosing = both, frozenset(lanes), quick, operations, choosing
        self._tell, self._found, self._passed = tell, found, passed
        self._sparing = True  # with draws: where something is far off, a few of them settle nothing
        self._asked: Kept | None = None
        self._kept = self._fresh()  # runs that are made, of the reference with all that is known to explain something

    def _fresh(self) -> Kept:
        return Kept(self._both.operations, whole=not self._quick)

    def report(self) -> Report:
        report = self._report()
        report.placing = {}  # the runs that it was made of are not needed any more
        return report

    def _report(self) -> Report:
        if "float64" not in self._lanes:
            return self._explained(climb(self._both, lanes=self._lanes, tell=self._tell), self._accuracy)
        glanced = glance_at(self._both, tell=self._tell, keeping=self._kept)
        self._passed(glanced)
        grew = self._rounding_in(glanced)
        settled = Account(grew, [], []) if grew is not None else self._known_in(glanced)
        report = settled.report
        if self._both.census.unpaired:
            return report
        if not _is_settled(report):
            report = self._left_open(glanced, settled)
            report.place()
            if report.diverged and not self._quick:
                self._tell("the twin, with the reference's values at the places")
                report.counterfactual = righted(self._both, self._kept, report, [difference for difference in settled.acting
                                                                               if not difference.material])
        if _is_settled(report) and (other := self._chosen_otherwise(report, settled.causes)) is not None:
            return other
        if self._quick and _is_settled(report):
            return report
        if "float32" in self._lanes and not report.diverged:
            known = settled.causes
            with imitating(known):
                accurate = self._explained(self._accuracy(report, anew=False), lambda: self._accuracy(report), without=known)
            report.add(accurate)
            report.findings.sort(key=lambda finding: finding.order)
        return report

    def _chosen_otherwise(self, report: Report, known: Sequence[Difference]) -> Report | None:
        """What the two come to with other weights, if they differ there and choices have hidden it."""
        if not self._choosing or not may_hide(self._both, self._kept, report, self._tell):
            return None
        for number in range(count := trials(self._both)):
            self._tell(f"both with other weights, which choose otherwise: {number + 1} of {count}")
            try:
                with weighed_otherwise(self._both, number):
                    other = self._otherwise(known)
            except Exception as error:
                if not is_users(error, self._both.sources[0]):
                    raise
                continue  # weights that the reference does not take tell nothing
            if other is not None:
                return other
        return None

    def _otherwise(self, known: Sequence[Difference]) -> Report | None:
        with imitating(known):
            if not glance_at(self._both, gradients=False).diverged:
                return None
        self._kept = self._fresh()  # the runs with the weights that were asked for are let go
        other = Settling(self._both, ("float64",), quick=self._quick, operations=self._operations, tell=self._tell,
                         found=self._found, passed=self._passed, choosing=False)._report()
        if not other.diverged:
            return None
        other.remarks.append(_WITH_OTHERS)
        return other

    def _rounding_in(self, glanced: Report) -> Report | None:
        """The float64 lane, if nothing in the pass went apart, or nothing but rounding on its way; else None. What goes apart in
        gradients alone is mostly that, and what does not go far."""
        if _is_settled(glanced):
            return glanced
        apart = [finding for finding in glanced.diverged if finding.key.stage != "gradients"]
        if glanced.unseen or any(finding.key.stage == "census" or not finding.floor_multiple < NEAR for finding in apart):
            return None
        # Where the pass has kept nothing, a draw takes two more runs than itself: worth it where it is likely to be the end.
        if self._kept.truth is None and (self._kept.passed is None or self._kept.passed.left is None) and any(
                not finding.floor_multiple < NEAR for finding in glanced.diverged):
            return None
        return self._grown()

    def _grown(self) -> Report | None:
        """`grown`, of the runs at hand; asked once of them."""
        if self._asked is self._at_hand:
            return None
        self._asked = self._at_hand
        return grown(self._both, self._at_hand, tell=self._tell)

    def _known_in(self, glanced: Report) -> Account:
        """What a pass says once the reference does what Paddle is known to do."""
        if glanced.unseen or all(finding.key.stage == "census" for finding in glanced.diverged):
            return Account(glanced, [], [])
        self._tell("is it a known difference of the frameworks?")
        at_first = [self._fresh()]
        waiting = list(at_first)
        found = account(glanced, lambda _: glance_at(self._both, keeping=waiting.pop() if waiting else None),
                        forward=lambda: glance_at(self._both, gradients=False))
        if found.causes:
            self._kept = at_first[0] if found.causes == list(found.at_first) else self._fresh()
        if found.report.diverged:
            self._found(found.report.first)
        return found

    def _left_open(self, glanced: Report, known: Account) -> Report:
        """The whole float64 lane, in which the reference does what has been found to account for something in the pass."""
        if not any(difference.material for difference in known.causes):
            with imitating(known.causes):
                report = self._placed(known.report)
                others = [difference for difference in known.acting if difference not in known.causes]
                report = self._explained(report, self._whole, among=others)
            if not known.causes or not _spoilt(report, glanced):
                return _with_explained(report, glanced, known.report)
        # One program may do here as Paddle does, and there as torch does: then each place is asked for itself.
        self._kept = Kept(self._both.operations)
        return self._explained(self._placed(known.report), self._whole, among=known.acting)

    def _placed(self, glanced: Report) -> Report:
        """The whole float64 lane, with single operations where nothing else shows where the first divergence was made."""
        both, first = self._both, glanced.first
        self._sparing = not is_far(first)
        if self._sparing and (grew := self._grown()) is not None:
            return grew
        both.operations = self._operations or (both.pair.names is not None and between_layers(first))
        report = self._whole(self._at_hand)
        if not both.operations and both.pair.names is not None and between_layers(report.first):
            both.operations = True
            report = self._whole(self._at_hand)
        return report

    @property
    def _at_hand(self) -> Kept:
        """The runs that are made already, if what is watched now was watched in them."""
        if self._kept.operations != self._both.operations:
            self._kept = Kept(self._both.operations)
        return self._kept

    def _whole(self, kept: Kept | None = None) -> Report:
        return climb(self._both, lanes=("float64",), tell=self._tell, sparing=self._sparing, kept=kept)

    def _accuracy(self, beside: Report | None = None, *, anew: bool = True) -> Report:
        self._both.operations = self._operations
        if beside is None:
            return climb(self._both, lanes=("float32",), tell=self._tell)
        return accuracy(self._both, beside, tell=self._tell, kept=None if anew else self._at_hand)

    def _explained(self, report: Report, again: Callable[[], Report], *, among: Sequence[Difference] | None = None,
                   without: Sequence[Difference] = ()) -> Report:
        if not report.diverged or (among is not None and not among):
            return report
        self._tell("is it a known difference of the frameworks?")
        if among is None:
            from parity.differences.registry import ALL as among  # it needs both frameworks
        return account(report, lambda _: again(), [difference for difference in among if difference not in without]).report


def between_layers(first: Finding | None) -> bool:
    """Whether a divergence shows at the border of a module, or at a line that does nothing after what its object keeps
    (`self.act(x)`): no line says where it was made."""
    if first is None or first.key.stage == "census":
        return False
    return not first.key.is_local or (first.key.function != OPERATION and first.key.stage == "forward" and calls_own(first.twin))


def is_far(first: Finding | None) -> bool:
    """Whether this is no rounding: what is summed to nothing aside, none is grown so far on its way through a forward."""
    return first is not None and first.key.stage in ("forward", "losses") and first.floor_multiple > FAR


def _is_settled(report: Report) -> bool:
    return not (report.diverged or report.undecided or report.unseen)


def _spoilt(report: Report, glanced: Report) -> bool:
    """Whether something diverges under the imitations that agreed without them, in what both have looked at."""
    seen = {finding.key for finding in report.diverged if finding.run == "free" and finding.key.function != OPERATION}
    return not seen <= {finding.key for finding in glanced.diverged}


def _with_explained(report: Report, glanced: Report, known: Report) -> Report:
    """The report with what the pass says is explained: under the imitations these values agree in it, so there it is silent."""
    open_before = {finding.key for finding in glanced.diverged}
    explained = {finding.key: finding for finding in known.findings
                 if finding.key in open_before and finding.verdict is not Verdict.DIVERGED}
    found = {finding.key: finding for finding in report.findings if finding.run == "free"}
    counts = Counter(report.counts)
    for key, finding in explained.items():
        counts[found[key].verdict if key in found else Verdict.SAME] -= 1
        counts[finding.verdict] += 1
    others = [finding for finding in report.findings if finding.run != "free" or finding.key not in explained]
    findings = sorted([*others, *explained.values()], key=lambda finding: finding.order)
    return replace(report, findings=findings, counts=counts)
