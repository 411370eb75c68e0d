"""From measurements to verdicts: what a run of the twin comes to beside the floors of all values."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_changes
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from parity.blame import place_of
from parity.messages import Message, say
from parity.numbers.arrays import Deviation, Verdict
from parity.numbers.noise import RESOLUTION
from parity.numbers.strata import floor_at
from parity.trace.events import AUTOCAST, IN_FULL, IN_HALF, OPERATION, PRECISIONS, Event, Key, is_inside
from parity.trace.source import Site
from parity.verdict.between import placed
from parity.verdict.calls import called_instead
from parity.verdict.causes import Evidence, cause_of
from parity.verdict.computed import nearby
from parity.verdict.cuts import cut
from parity.verdict.elsewhere import Elsewhere
from parity.verdict.findings import RAISED, Finding, Order, Report, first_diverged
from parity.verdict.flow import Flow, is_given
from parity.verdict.handed import Handed
from parity.verdict.in_place import gone_round, written
from parity.verdict.rates import rated
from parity.verdict.settings import Settings
from parity.verdict.sinks import Against, Store, multiple_of
from parity.verdict.sketch import sketch
from parity.verdict.sums import adds_in_another_order
from parity.verdict.uncalled import named
from parity.verdict.ways_back import placed_on_the_way_back

if TYPE_CHECKING:
    from parity.declare.pair import Pair


class Failure(NamedTuple):
    """An exception that a program raised: its type, what it says, the user's line it came from."""

    kind: str
    text: str
    site: Site | None

    @classmethod
    def of(cls, error: Exception, source: Any) -> Failure:
        place = place_of(error, source)
        return cls(type(error).__name__, " ".join(str(error).split())[:300], Site(*place) if place else None)


@dataclass
class Judge:
    """Turns what was measured in one run of the twin into verdicts.

    name: what is compared, in findings and before module paths. stages: those that this run went through; None for all.
    start: the state before the run, by the names of the reference, where it is known. idle: of random numbers of which nothing is
    made. replayed: modules went on with the reference's values, in a run that is not called so.
    """

    name: str
    pair: Pair
    lane: str
    run: str
    truth: Store
    floors: Mapping[Key, float]
    limit: float
    stages: frozenset[str] | None = None
    start: Mapping[str, np.ndarray] | None = None
    idle: frozenset[Key] = frozenset()
    replayed: bool = False
    settings: Settings | None = None

    def judge(self, against: Against, failure: Exception | Failure | None, report: Report) -> None:
        """Add to the report a finding for every value that is not the same, and count all."""
        found: list[Finding] = []
        measured: list[Finding] = []
        agreed: list[Event] = []
        for event in self.truth.in_order():
            key = event.key
            if (self.stages is not None and key.stage not in self.stages) or self._given(key):
                continue
            partner = against.matched.get(key)
            if event.unknown is not None:
                finding = self._unknown(event)
            elif partner is None:
                if self._expected(key) or _is_zero_gradient(event):
                    continue
                finding = self._without_partner(event, against)
            else:
                finding = self._matched(event, *partner, against)
                measured.append(finding)
            report.counts[finding.verdict] += 1
            if finding.verdict in (Verdict.SAME, Verdict.NOISE):
                agreed.append(event)
            if finding.verdict is not Verdict.SAME:
                found.append(finding)
        for event, last in against.extra:
            if self._expected(event.key):
                continue
            finding = self._extra(event, last)
            report.counts[finding.verdict] += 1
            found.append(finding)
        if failure is not None:
            if isinstance(failure, Exception):
                failure = Failure.of(failure, self.pair.twin_source)
            finding = self._failure(failure, against)
            report.counts[Verdict.DIVERGED] += 1
            found.append(finding)
        agreeing = against.matched.keys() - {finding.key for finding in found if finding.verdict is not Verdict.NOISE}
        elsewhere = Elsewhere(self.truth.events, against.prints, agreeing)
        found = _without_masks(found, against, report)
        if failure is None:
            found = self._without_harmless(found, against, elsewhere, report)
        elif came_back(against, self.truth, self.name):  # the way back raised
            back = [f for f in found if f.key.stage == "gradients" or f.key.variable == RAISED]
            first = min((f.order for f in back if f.key.stage == "gradients" and f.twin is None), default=finding.order)
            back[-1] = with_changes(finding, order=min(finding.order, Order.before(first.at)))  # what did not come back is for that
            found = [*self._without_harmless([f for f in found if f not in back], against, elsewhere, report), *back]
        if self.run == "replay":
            flow = Flow(found, self.truth, against)
            found = [with_changes(finding, anew=True) if flow.starts_anew(finding) else finding for finding in found]
        if self.pair.names is not None:
            found = _without_reordered(found, self.truth, against, report)
            found = cut(self._placed(found, against, elsewhere), self.truth, against, report)
            found = rated(placed_on_the_way_back(found, self.truth, against), self.truth, against)
        found = called_instead(_after_good(found, agreed))
        uncompared = {finding.key for finding in found if finding.verdict is Verdict.UNCOMPARED}
        for finding in measured:
            if finding.key not in uncompared:
                if finding.verdict is Verdict.DIVERGED or not _left_over(finding):
                    self._note(report.largest, finding.key.stage, finding.deviation.relative)
                self._note(report.multiples, finding.key.stage, finding.floor_multiple)
                module = finding.key.module or self.name
                report.modules[module] += 1
                if self.lane == "float64":
                    report.farthest[module] = max(finding.floor_multiple, report.farthest.get(module, 0.0))
        report.findings += found

    def placed(self, found: list[Finding], against: Against) -> list[Finding]:
        """The findings of this run, of a pair with names, with the first divergence at its place, where what came before it has
        turned out to be none."""
        agreeing = against.matched.keys() - {f.key for f in found if f.verdict not in (Verdict.NOISE, Verdict.EXPLAINED)}
        elsewhere = Elsewhere(self.truth.events, against.prints, agreeing)
        agreed = [event for event in self.truth.in_order() if event.key in agreeing]
        found = placed_on_the_way_back(self._placed(found, against, elsewhere), self.truth, against)
        return called_instead(_after_good(found, agreed))

    def _placed(self, found: list[Finding], against: Against, elsewhere: Elsewhere) -> list[Finding]:
        """Programs that are line for line the same show where they differ."""
        if self.pair.names is None:
            return found
        first = first_diverged(found)
        kept = () if self.settings is None else (self.settings.kept,)
        found = placed(found, self.truth, against, elsewhere, *kept)
        for place in (gone_round, written):
            found = place(found, self.truth, against)
        if self.settings is None or first is None:
            return found
        return self.settings.told(named(found, self.truth, against, self.settings), first.twin)

    def _without_harmless(self, found: list[Finding], against: Against, elsewhere: Elsewhere, report: Report) -> list[Finding]:
        """Where all else agrees, locals that diverge for how the code is written, not for what it computes, are uncompared.

        Locals that one side binds more often (`h = relu(f(x))` against two lines): which binding is which's partner nobody
        can know. Gradients of locals: of E[x^2] - m^2 nothing comes back to `centred`, of E[centred^2] something does. Both
        say where a difference enters, but not whether there is one: that is for inputs, outputs, parameters and values.
        Of programs that are not line for line the same, the borders of inner modules are such places as well: positions of
        shape (1, n) here and (batch, n) there, whose sums are equal.
        """
        found = self._without_other_steps(found, against, elsewhere, report)
        theirs = [*against.matched, *(event.key for event, _ in against.extra)]
        ours, theirs = (Counter(_binding(key) for key in keys if key.is_local and key.stage != "gradients")
                        for keys in (self.truth.events, theirs))
        odd = {name for name in ours if ours[name] != theirs[name]}
        doubtful = [f for f in found if f.verdict is Verdict.DIVERGED and (self._inside(f) or (f.key.is_local and (
            _binding(f.key) in odd or f.key.stage == "gradients")))]
        if not doubtful or len(doubtful) < sum(f.verdict is Verdict.DIVERGED for f in found):
            return found
        return _uncompared(found, lambda f: True, report)

    def _inside(self, finding: Finding) -> bool:
        """Whether this is a value inside of a program that may be written in another way: nothing that its user could see."""
        return (self.pair.names is not None and not finding.promised and not finding.drawn
                and finding.key.stage in ("forward", "gradients") and finding.key.variable != RAISED)

    def _without_other_steps(self, found: list[Finding], against: Against, elsewhere: Elsewhere, report: Report) -> list[Finding]:
        """Of programs that are not line for line the same: what is a local of equal name, but perhaps of other meaning.

        A local diverges for that alone if the two sides bind its name a different number of times, or if its shape differs and
        what follows from it does not diverge, or if all that follows from it agrees, or all that its module call returns. What
        an inner module is given does not count where the call's results agree (arguments in another order), nor, where one side
        alone gives it, unless what is made of it diverges; what comes back to it only where both were given it. Nor does what the
        other side has under another name.
        """
        if self.pair.names is None:
            return found
        seen = [*against.matched, *(event.key for event, _ in against.extra)]
        ours, theirs = (Counter(_binding(key) for key in keys if key.is_local and key.stage != "gradients")
                        for keys in (self.truth.events, seen))
        # What goes wrong only later comes back as a wrong gradient: of a value only the call's values can tell.
        bad = {_call_of(f.key) for f in found if f.verdict is Verdict.DIVERGED and f.key.variable.startswith("output")}
        ran = {_call_of(key) for key in against.matched if key.variable.startswith("output")}

        def agrees(key: Key) -> bool:
            return _call_of(key) in ran - bad

        spoilt = self._spoilt_in_replay(found, against)
        found = _uncompared(found, lambda f: f.key.is_local and (
            (f.key not in spoilt and (agrees(f.key) or ours[_binding(f.key)] != theirs[_binding(f.key)]))
            or (not f.promised and (elsewhere.misnamed if f.of_another_kind else elsewhere.renamed)(f.key))), report)
        handed = Handed(found, self.truth, against)
        flow = Flow(found, self.truth, against, handed.passed)

        def leads_nowhere(finding: Finding) -> bool:
            key = finding.key
            if not key.is_local:
                return (agrees(key) and key.variable.startswith("input") and not self._passed_alike(key, against)) or (
                    key.module != self.name and (handed.passed(key) or self._is_spare(key, ran, against)
                                                 or (key not in against.matched and elsewhere.known(key))
                                                 or (key.variable.startswith("output") and key.stage != "gradients"
                                                     and elsewhere.returned(key) and self._goes_on(key, found, against))))
            if finding.of_another_kind:
                return (key.function == OPERATION and "shape" in finding.deviation.trouble) or not flow.spoils(finding)
            return not finding.promised and flow.is_undone(finding)

        return _uncompared(found, leads_nowhere, report)

    def _spoilt_in_replay(self, found: list[Finding], against: Against) -> set[Key]:
        """Locals that what their call returns cannot acquit: an inner module was handed what they made wrong, and went on with the
        reference's value."""
        if self.run != "replay" and not self.replayed:
            return set()
        diverged = [f for f in found if f.verdict is Verdict.DIVERGED and f.key.stage != "gradients"]
        handed = [f for f in diverged if not f.key.is_local and f.key.variable.startswith("input")]
        flow = Flow(found, self.truth, against)
        return {f.key for f in diverged if f.key.is_local
                and any(is_given(other.key, f.key) and f.order < other.order for other in handed) and flow.spoils(f)}

    def _is_spare(self, key: Key, ran: set[tuple], against: Against) -> bool:
        """Whether it is what one side alone returns from a call that both make, beside what both return: weights of an attention,
        a cache. Where it is used, what is made of it tells."""
        value = key._replace(stage="forward", variable=key.variable.partition(" (backward")[0])
        return key.variable.startswith("output") and value not in against.matched and _call_of(value) in ran

    def _goes_on(self, key: Key, found: list[Finding], against: Against) -> bool:
        """Whether the next value of both sides that is made behind a module's call agrees."""
        event = self.truth.events.get(key)
        behind = (other.key for other in self.truth.in_order() if event is not None and other.order > event.order
                  and other.key in against.matched and other.key[:3] == key[:3] and not is_inside(other.key.module, key.module)
                  and other.key.module != key.module)
        after = next(behind, None)
        return after is not None and not any(f.key == after and f.verdict is Verdict.DIVERGED for f in found)

    def _passed_alike(self, key: Key, against: Against) -> bool:
        """Of an input's gradient: whether both sides' calls had that input. The program's own inputs always count."""
        if key.module == self.name:
            return True
        value = key._replace(variable=key.variable.partition(" (backward")[0])
        return key.stage == "gradients" and any(value._replace(stage=stage) in against.matched for stage in ("forward", "losses"))

    def _given(self, key: Key) -> bool:
        """In a replay, the gradients of the model's own outputs are handed to it: nothing of the twin's is in them."""
        return (self.run == "replay" and key.stage == "gradients" and key.module == self.name
                and key.variable.startswith("output"))

    def _note(self, table: dict, stage: str, value: float) -> None:
        if np.isfinite(value):
            known = table.setdefault(f"{self.lane} {self.run}", {})
            known[stage] = max(known.get(stage, 0.0), value)

    def _matched(self, event: Event, twin: Event, deviation: Deviation, against: Against) -> Finding:
        floor = floor_at(self.floors[event.key], deviation.stratum)
        multiple = multiple_of(deviation.distance, floor)
        if self._other_dtype(event.key, deviation):
            deviation = with_changes(deviation, distance=np.inf, trouble=say(
                "dtype {reference} in the reference, {twin} in the twin", reference=deviation.dtypes[0], twin=deviation.dtypes[1]))
            return self._finding(event, twin, Verdict.DIVERGED, deviation, floor)
        if deviation.nans and deviation.nans == deviation.size:
            deviation = with_changes(deviation, trouble=say("NaN everywhere, on both sides"))
            return self._finding(event, twin, Verdict.UNCOMPARED, deviation, floor)
        verdict = (Verdict.SAME if multiple <= 1 else Verdict.NOISE if multiple <= self.limit else Verdict.DIVERGED)
        cause = drawn = None
        if verdict is not Verdict.DIVERGED and not self._seen(event, deviation):
            cause = say("rounding alone may do {floor:.1e} to this value, {share:.1e} of its size: a mistake could not be seen",
                        floor=floor, share=floor / deviation.scale if deviation.scale else np.inf)
            verdict = Verdict.UNDECIDED
        if verdict is Verdict.DIVERGED and event.drawn is not None:
            deviation = with_changes(deviation, trouble=say("the reference draws {left}, the twin {right}", left=str(event.drawn),
                                                            right=str(twin.drawn)))
        elif verdict is Verdict.DIVERGED:
            left, right = against.kept.get(event.key, (None, None))
            if left is not None:
                cause = cause_of(Evidence(left, right, event, twin, self.held(event.key),
                                          nearby(event.key, self.truth.in_order())))
                drawn = sketch(left, right, deviation.index)
        finding = with_changes(self._finding(event, twin, verdict, deviation, floor, cause), sketch=drawn)
        if (deviation.reshaped is not None and self._inside(finding)
                and multiple_of(deviation.reshaped, floor) <= self.limit):
            return with_changes(finding, verdict=Verdict.UNCOMPARED, cause=say("the same values in another shape"))
        return finding

    def _seen(self, event: Event, deviation: Deviation) -> bool:
        """Whether the two are so near that no mistake of RESOLUTION can be in the value, however large its floor is.

        What is left over from a cancellation is measured beside what cancelled; a gradient that is nothing but that (of a bias
        before a norm, of a key's bias before a softmax) beside the other gradients, and what an optimizer remembers of it alike.
        """
        return is_seen(event, deviation, self._beside.get(_kind(event.key), 0.0))

    @functools.cached_property
    def _beside(self) -> dict[str, float]:
        """The largest gradient of a parameter or an input, and the largest moment of each kind."""
        largest: dict[str, float] = {}
        for key, event in self.truth.events.items():
            kind = _kind(key)
            if kind is not None and not key.is_local and not event.borders:
                largest[kind] = max(event.scale, largest.get(kind, 0.0))
        return largest

    def _other_dtype(self, key: Key, deviation: Deviation) -> bool:
        """Whether two results of the programs are of other dtypes. In float32, whose truth is float64, numbers are the lane's."""
        if deviation.dtypes is None or not is_result(key, self.name):
            return False
        return self.lane == "float64" or not any(all(name.startswith(kind) for name in deviation.dtypes)
                                                 for kind in ("float", "complex"))

    def held(self, key: Key) -> dict[str, np.ndarray]:
        """What a value's module held before the run, by name."""
        owner = "" if key.module == self.name else f"{key.module.removeprefix(f'{self.name}.')}."
        return {name.removeprefix(owner): array for name, array in (self.start or {}).items()
                if name.startswith(owner) and "." not in name.removeprefix(owner)}

    def _without_partner(self, event: Event, against: Against) -> Finding:
        apart = event.key.variable in PRECISIONS and not _is_called(event.key, against.matched)
        verdict = Verdict.UNCOMPARED if event.key.is_local or apart else Verdict.DIVERGED
        deviation = Deviation(np.inf, trouble=say("exists in the reference only") if event.key.is_local else
                              _missing_text(event, against))
        return self._finding(event, None, verdict, deviation, self.floors[event.key])

    def _unknown(self, event: Event) -> Finding:
        """A result that nobody could compare."""
        deviation = Deviation(np.inf, trouble=say("a {kind}, which is of no kind that could be compared", kind=event.unknown))
        return with_changes(self._finding(event, None, Verdict.UNCOMPARED, deviation, 0.0), unknown=True)

    def _expected(self, key: Key) -> bool:
        return key in self.idle or (key.is_local and f"{key.stage} {key.function}: {key.variable}" in self.pair.one_sided)

    def _extra(self, event: Event, last: Key | None) -> Finding:
        verdict = Verdict.UNCOMPARED if event.key.is_local else Verdict.DIVERGED
        before = self.truth.events[last].order if last is not None else 0
        trouble = say("exists in the twin only")
        if event.drawn is not None:
            trouble = say("the twin draws {numbers}, the reference draws nothing", numbers=str(event.drawn))
        elif event.key.variable in PRECISIONS:
            verdict = Verdict.DIVERGED if _is_called(event.key, self.truth.events) else Verdict.UNCOMPARED
            trouble = _precision_text(event, say("the twin"), say("the reference"))
        deviation = Deviation(np.inf, trouble=trouble)
        return Finding(self.name, self.lane, self.run, event.key, verdict, Order.after(before), deviation,
                       twin=event.site, called=event.called, drawn=event.drawn is not None)

    def _failure(self, failure: Failure, against: Against) -> Finding:
        last = against.last
        key = last or Key("forward", 0, None, self.name, 0, "", 0, "", 0)
        key = key._replace(variable=RAISED, function="", occurrence=0)
        order = Order.raised_after(self.truth.events[last].order if last else 0)
        deviation = Deviation(np.inf, trouble=say("the twin raised {kind}: {text}", kind=failure.kind, text=failure.text))
        return Finding(self.name, self.lane, self.run, key, Verdict.DIVERGED, order, deviation, twin=failure.site)

    def _finding(self, event: Event, twin: Event | None, verdict: Verdict, deviation: Deviation, floor: float,
                 cause: str | None = None) -> Finding:
        return Finding(self.name, self.lane, self.run, event.key, verdict, Order(event.order), deviation, floor,
                       reference=event.site, twin=twin.site if twin else None, called=event.called, cause=cause,
                       drawn=event.drawn is not None)


def _without_masks(found: list[Finding], against: Against, report: Report) -> list[Finding]:
    """Where something that `same` promises diverges, masks of other numbers that hide the same are not its place. Where nothing
    does, what follows from them tells."""
    promised = any(f.promised and f.verdict is Verdict.DIVERGED and f.key not in against.hiding for f in found)
    return _uncompared(found, lambda f: f.key in against.hiding and not f.promised, report) if promised else found


def _without_reordered(found: list[Finding], truth: Store, against: Against, report: Report) -> list[Finding]:
    """Where something that `same` promises diverges, a sum of terms that both have is not its place, be it none of the other's."""
    for _ in range(_SUMS):
        first = first_diverged(found)
        later = any(f.promised and f.verdict is Verdict.DIVERGED for f in found if f is not first)
        if first is None or not later or first.promised or not adds_in_another_order(first, truth, against):
            break
        found = _uncompared(found, lambda f, key=first.key: f.key == key, report)
    return found


_SUMS = 3  # lines that add one term more each


OTHER_STEPS = say("the same result by other steps")


def replaced(report: Report) -> set[str]:
    """Of a replay: the modules whose results diverge and were found harmless, as all that follows agrees. It does so whatever they
    return, as the program went on with the reference's values in their place; let go on with their own, it tells."""
    return {f.key.module for f in report.findings if f.verdict is Verdict.UNCOMPARED and f.cause == OTHER_STEPS
            and f.deviation.index is not None and f.key.variable.startswith("output") and not f.key.is_local
            and f.key.stage != "gradients"}


def _uncompared(found: list[Finding], harmless: Callable[[Finding], bool], report: Report) -> list[Finding]:
    """The findings with those that diverged, and are harmless, uncompared."""
    changed = [with_changes(f, verdict=Verdict.UNCOMPARED, cause=OTHER_STEPS)
               if f.verdict is Verdict.DIVERGED and harmless(f) else f for f in found]
    count = sum(one is not other for one, other in zip(found, changed, strict=True))
    report.counts[Verdict.DIVERGED] -= count
    report.counts[Verdict.UNCOMPARED] += count
    return changed


def _after_good(found: list[Finding], agreed: list[Event]) -> list[Finding]:
    """With the last value that still agreed before the first divergence."""
    first = min((finding.order for finding in found if finding.verdict is Verdict.DIVERGED), default=Order(0))
    good = next((event for event in reversed(agreed) if Order(event.order) < first), None)
    if good is None:
        return found
    return [with_changes(finding, last_good=str(good.key), last_good_site=good.site) if finding.verdict is Verdict.DIVERGED
            else finding for finding in found]


def _kind(key: Key) -> str | None:
    """Values that are measured beside each other: gradients, or the moments of one name."""
    if key.stage == "gradients":
        return "gradients"
    return key.variable.rpartition(".")[2] if key.stage == "update" and "." in key.variable else None


def _left_over(finding: Finding) -> bool:
    """Whether the value is of the size of its own noise: left over from a cancellation, and no measure for a distance."""
    return finding.floor > _resolution(finding.deviation) * finding.deviation.scale


def _resolution(deviation: Deviation) -> float:
    return RESOLUTION.get(deviation.width, min(RESOLUTION.values()))


def is_seen(event: Event, deviation: Deviation, beside: float = 0.0) -> bool:
    """Whether a value lies near enough to see a mistake of RESOLUTION in it. beside: the magnitude that it is measured beside."""
    scale = deviation.scale if event.borders else max(deviation.scale, event.scale)
    return deviation.distance <= _resolution(deviation) * max(scale, beside)


def is_result(key: Key, name: str) -> bool:
    """Whether this is what the program of that name returns."""
    return key.module == name and key.variable.startswith("output") and key.stage != "gradients"


def came_back(against: Against, truth: Store, name: str) -> bool:
    """Whether the twin returned all that the reference does: what it raised then, it raised on the way back."""
    return all(key in against.matched for key in truth.events if is_result(key, name))


def _binding(key: Key) -> Key:
    """A local variable, whichever of its bindings and whether its value or its gradient."""
    return key._replace(stage="", occurrence=0)


def _call_of(key: Key) -> tuple[bool, str, int]:
    """A module call, its values and its gradients apart."""
    return key.stage == "gradients", key.module, key.call


def _is_called(key: Key, others: Iterable[Key]) -> bool:
    """Whether a module call is among those of the other side, which may write it as a function."""
    return not key.module or any((other.module, other.call) == (key.module, key.call) and other.variable not in PRECISIONS
                                 for other in others)


def _precision_text(event: Event, side: Message, other: Message) -> Message:
    """Of a precision that one side alone asks for. On the CPU, and in float64 anywhere, no number shows it."""
    if event.key.variable == AUTOCAST:
        return say("{side} computes under autocast here ({asked}), {other} nowhere", side=side, other=other, asked=str(event.array))
    if event.key.variable == IN_HALF:
        return say("{side} has products in {dtype} here, {other} has none of these", side=side, other=other, dtype=str(event.array))
    if event.key.variable == IN_FULL:
        return say("{side} has products in full precision here, {other} has none of these: they are under autocast", side=side,
                   other=other)
    return say("norms, losses or sums are in {dtype} here in {side}, in full precision in {other}", side=side, other=other,
               dtype=str(event.array))


def _is_zero_gradient(event: Event) -> bool:
    """One framework leaves out the gradient of a value that nothing depends on, the other makes zeros of it."""
    return event.key.is_activation_gradient and event.array is not None and not event.array.any()


def _missing_text(event: Event, against: Against) -> str:
    key = event.key
    if event.drawn is not None:
        return say("the reference draws {numbers}, the twin draws nothing", numbers=str(event.drawn))
    if key.stage == "gradients":
        return say("the reference has a gradient here, the twin has none")
    if key.variable in PRECISIONS:
        return _precision_text(event, say("the reference"), say("the twin"))
    if key.variable.startswith(("input", "output")):
        if any((other.module, other.call) == (key.module, key.call) for other in against.matched):
            return say("the twin's call has no such value")
        return say("this call never happened in the twin")
    return say("exists in the reference only")
