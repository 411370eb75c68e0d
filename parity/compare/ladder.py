"""The ladder: one subject, rung by rung (census, forward, gradients, state), in two lanes, with its noise floors.

float64 lane: are the two the same computation? Each value's distance from the reference, in noise floors.
float32 lane: is the twin as accurate as the reference? The error of each side against the float64 truth.

The reference runs first and its values are kept; all later runs (noise draws, the twin) are compared as they go and keep
nothing. So the peak is the reference's trace plus one run. A `glance` keeps no values at all: both programs run side by side,
each value is compared when both have it, and the peak is that of two runs at once (`parity.compare.one_pass`).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from dataclasses import replace as with_changes
from typing import Any

import numpy as np

from parity import asked
from parity.blame import in_words, is_users
from parity.compare.draws import are_idle
from parity.compare.glimpse import Glimpse
from parity.compare.one_pass import Interleaved, is_blank
from parity.compare.sides import Sides
from parity.declare.pair import Subject
from parity.files import InputError
from parity.frameworks.lifting import NEAR, Lifted, Rounded
from parity.frameworks.lowering import UNLOWERED
from parity.heap import give_back
from parity.messages import Message, say, several, some, term
from parity.numbers.arrays import Deviation, Verdict, deviation, in_lane, resemblance
from parity.numbers.noise import ACCURACY, DRAWS, M, generator, move
from parity.pairing.by_value import Choice, settled
from parity.pairing.census import Census, CensusFinding, each_once, own_weights, tables, take
from parity.pairing.correspondence import naming
from parity.pairing.nodes import WHOLE
from parity.trace.events import Key, Sink
from parity.trace.execute import forward_backward, replay
from parity.trace.memos import Caches, Memos
from parity.trace.randomness import Tape, kept_for_later, python_and_numpy
from parity.trace.recorder import Recorder
from parity.trace.side import Run
from parity.trace.source import Site
from parity.verdict.findings import RAISED, Finding, Order, Placing, Report
from parity.verdict.floors import UNMOVED, Draw, Noise
from parity.verdict.judge import Judge, came_back, is_result
from parity.verdict.sinks import Against, Crossings, Nowhere, Store
from weights_convert import Entry

Progress = Callable[[str], None]


def compare(subject: Subject, *, lanes: Iterable[str] = ("float64", "float32"), device: str = "cpu", draws: int = DRAWS,
            progress: Progress | None = None, operations: bool = False) -> Report:
    """Compare the two sides of a subject. operations: watch single operations too.

    Raises whatever the *reference* raises; what the twin raises is a finding.
    """
    lanes, device, draws = asked.lanes(lanes), asked.device(device), asked.count("draws", draws, asked.DRAWS)
    with Both(subject, device, operations=operations).as_they_were() as both:
        report = both.lifted_where_needed(lambda: climb(both, lanes=lanes, draws=draws, tell=progress or _silent), lanes)
        report.placing = {}
        return report


def glance(subject: Subject, *, lane: str = "float64", device: str = "cpu", progress: Progress | None = None) -> Report:
    """Compare the two sides in one pass, forward and backward, with no noise draws: each value in units of its own operation's
    rounding, of which what came before has no part.

    In the float64 lane "same" is what `compare` would say too, as none of its floors is smaller. What diverged may be rounding
    that has grown on its way through the program: `compare` tells. Raises as `compare`.
    """
    lane, device = asked.lane(lane), asked.device(device)
    with Both(subject, device).as_they_were() as both:
        return both.lifted_where_needed(lambda: glance_at(both, lane=lane, tell=progress or _silent), (lane,))


def _silent(what: str) -> None:
    """Nobody asked how far it is."""


def glance_at(both: Both, *, lane: str = "float64", tell: Progress = _silent, keeping: Kept | None = None,
              gradients: bool = True) -> Report:
    """`glance`, of both that are built already. keeping: the runs of the pass, for the climb that may follow. gradients: with the
    backwards."""
    begun = _begin(both)
    if both.census.unpaired:
        return begun
    tell(f"both side by side, {lane}")
    options = {"keeps": keeping is not None and keeping.whole, "gradients": gradients}
    kept = Kept()
    report = _passed(both, lane, begun, kept, **options)
    if report.diverged and both.tape.is_otherwise_in_line:
        both.tape.in_line, other = True, Kept()
        in_line = _passed(both, lane, begun, other, **options)
        both.tape.in_line = not in_line.diverged or in_line.first.order > report.first.order
        report, kept = (in_line, other) if both.tape.in_line else (report, kept)
    if keeping is not None:
        keeping.passed, keeping.failure = kept.passed, kept.failure
        if keeping.whole:
            keeping.truth, keeping.against = kept.passed.truth, kept.passed.against
    return report


def _passed(both: Both, lane: str, begun: Report, kept: Kept, *, keeps: bool, gradients: bool) -> Report:
    """What a pass comes to, in which idle numbers count for nothing. begun: the report before it. kept: where its runs are put."""
    name = both.subject.name
    pass_ = Interleaved(name, lane, keeps=keeps)
    kept.failure, kept.passed = both.side_by_side(lane, pass_, gradients=gradients), pass_

    def judged() -> Report:
        return _judged(both, lane, kept, begun, pass_.floors, pass_.against)
    report = judged()
    lone = [finding for finding in report.diverged if finding.drawn and finding.key not in pass_.against.matched]
    if lone and are_idle(both, lane, lone):
        both.idle = frozenset(finding.key for finding in lone)
        begun.remarks = list(both.remarks())
        report = judged()
    return report


def _judged(both: Both, lane: str, kept: Kept, begun: Report, floors: Mapping[Key, float], against: Against) -> Report:
    """What a pass comes to by these floors. begun: the report before it."""
    name, pass_ = both.subject.name, kept.passed
    report = Report(name)
    report.add(begun)
    report.unseen = _NOTHING_FOUND if not pass_.results else _NOTHING_IN_IT if pass_.blank else None
    Judge(name, both.pair, lane, "free", pass_.truth, floors, M, start=both.subject.state,
          idle=both.idle, settings=both.settings).judge(against, kept.failure, report)
    _order_census(report, pass_.truth)
    return report


@dataclass
class Kept:
    """float64 runs that need not be made again: the reference's, what came of the twin's beside it, and the draws; what came of the
    twin's replay. operations: whether single operations were watched in them. whole: whether a pass is to keep the reference's
    values, not only those that it leaves open. passed: the pass."""

    operations: bool = False
    whole: bool = True
    passed: Interleaved | None = None
    truth: Store | None = None
    against: Against | None = None
    failure: Exception | None = None
    noise: Noise | None = None
    replayed: Against | None = None


def climb(both: Both, *, lanes: Iterable[str], draws: int = DRAWS, tell: Progress = _silent, sparing: bool = True,
          kept: Kept | None = None) -> Report:
    """`compare`, of both that are built already. sparing: with no more draws than it takes. kept: runs of these very two; what
    is missing in it is put there."""
    subject, report, kept = both.subject, _begin(both), kept or Kept()
    if both.census.unpaired:
        return report
    truth = _truth(both, kept, tell)
    report.unseen = _unseen(subject, truth)
    if "float64" in lanes:
        _float64_lane(both, kept, draws, report, tell, sparing)
    if "float32" in lanes:
        _float32_lane(both, truth, draws, report, tell, report)
        if "float64" in lanes:
            _settle_accuracy(report)
    _order_census(report, truth)
    return report


def grown(both: Both, kept: Kept, *, draws: int = DRAWS, tell: Progress = _silent) -> Report | None:
    """The float64 lane of two that have gone apart in a pass, where one noise draw tells that it was rounding; else None."""
    if kept.truth is None and kept.passed is not None and kept.passed.left is not None:
        report = _grown_where_open(both, kept, draws, tell)
        if not (report.diverged or report.undecided or report.unseen):
            return report
        if any(finding.promised for finding in report.diverged):
            return None  # the others may be what one side has under another name, which the whole values tell
    report, truth = _begin(both), _truth(both, kept, tell)
    report.unseen = _unseen(both.subject, truth)
    _judge_run(both, "float64", truth, draws, report, tell, kept=kept, most=1)
    _order_census(report, truth)
    return None if report.diverged or report.undecided or report.unseen else report


def _grown_where_open(both: Both, kept: Kept, draws: int, tell: Progress) -> Report:
    """What a pass comes to where one draw has measured the values that it has left open; the others agree by less than that."""
    left = kept.passed.left
    both.note_choices(left, tell)
    tell(f"noise of the reference, float64, where it is open: 1 of {draws} draws")
    floors = {**kept.passed.floors, **both.noise("float64", left, draws=draws).floors(min(1, draws))}
    return _judged(both, "float64", kept, _begin(both), floors, kept.passed.against.beside(floors, M, arrays=False))


def accuracy(both: Both, beside: Report, *, draws: int = DRAWS, tell: Progress = _silent, kept: Kept | None = None) -> Report:
    """The float32 lane alone, of two that are the same computation. beside: what the float64 lane has found. kept: see `climb`."""
    report, truth = Report(both.subject.name), _truth(both, kept or Kept(), tell)
    truth.apart |= _written_otherwise(beside)
    _float32_lane(both, truth, draws, report, tell, beside)
    _settle_accuracy(report)
    return report


def _truth(both: Both, kept: Kept, tell: Progress) -> Store:
    if kept.truth is None:
        tell("reference, float64")
        truth = Store()
        both.reference("float64", truth)
        kept.truth = truth
    return kept.truth


def _settle_accuracy(report: Report) -> None:
    """The float64 lane has decided whether the two are the same; this one tells how accurate they are."""
    report.settle(lambda finding: finding.lane == "float32", say("the reference's own float32 is no more accurate here"))


def _begin(both: Both) -> Report:
    """A report of the rungs before the first run, to go on with."""
    begun = both.begun
    return with_changes(begun, findings=list(begun.findings), counts=Counter(begun.counts),
                        remarks=[*both.remarks(), *begun.remarks], largest={}, multiples={}, modules=Counter(), farthest={})


def _unseen(subject: Subject, truth: Store) -> str | None:
    """Why there is nothing to compare in what the reference returns, if so."""
    outputs = [event.array for key, event in truth.events.items() if is_result(key, subject.name)]
    return _NOTHING_FOUND if not outputs else _NOTHING_IN_IT if all(map(is_blank, outputs)) else None


_NOTHING_FOUND = "the reference returns no tensor and no number that the harness knows how to find"
_NOTHING_IN_IT = "all that the reference returns is empty or NaN"


def _order_census(report: Report, truth: Store) -> None:
    """Census findings come first, among themselves in the order in which their modules run."""
    ran: dict[str, int] = {}
    for event in truth.in_order():
        ran.setdefault(event.key.module, event.order)
    never = max(ran.values(), default=0) + 1
    report.findings = [with_changes(finding, order=Order.census(ran.get(finding.key.module, never)))
                       if finding.key.stage == "census" else finding for finding in report.findings]
    report.findings.sort(key=lambda finding: finding.order)


def _float64_lane(both: Both, kept: Kept, draws: int, report: Report, tell: Progress, sparing: bool) -> None:
    truth = kept.truth
    _judge_run(both, "float64", truth, draws, report, tell, sparing=sparing, kept=kept)
    truth.apart |= _written_otherwise(report)
    if not (report.diverged or report.undecided):
        return
    against = _judge_run(both, "float64", truth, draws, report, tell, replayed=truth, sparing=sparing)
    kept.replayed = against
    if against is None:
        return
    unseen = {finding.key for finding in report.findings if finding.run == "replay" and finding.verdict in (
        Verdict.UNDECIDED, Verdict.UNCOMPARED, Verdict.DIVERGED)}
    report.settle(lambda finding: finding.run == "free" and finding.key in against.matched.keys() - unseen,
                  say("rounding, grown on its way: in replay, where nothing has grown, it agrees"))
    report.acquit()
    _forgive_kinks(both, truth, report)
    report.place()


def _float32_lane(both: Both, truth: Store, draws: int, report: Report, tell: Progress, beside: Report) -> None:
    """Forward values in a free run; gradients in a replay, where both sides take the truth's side of every kink. beside: what the
    float64 lane has found: the accuracy of what is another value there is waited for by no draw."""
    other = frozenset(finding.key for finding in beside.uncompared if finding.lane == "float64" and _went_apart(finding))
    _judge_run(both, "float32", truth, draws, report, tell, other=other)
    truth.apart |= _written_otherwise(report)
    _judge_run(both, "float32", truth, draws, report, tell, replayed=truth, other=other)


def _judge_run(both: Both, lane: str, truth: Store, draws: int, report: Report, tell: Progress,
               replayed: Store | None = None, sparing: bool = True, kept: Kept | None = None,
               most: int | None = None, other: Container[Key] = ()) -> Against | None:
    """Add to the report what a run of the twin, free or a replay, comes to beside the noise of the reference.

    As few draws as there can be come first: what is the same by their floors is the same by those of all, what is undecided remains
    so, and what is beyond doubt by them no draw brings back. sparing: the others one by one, not all at once. kept: the runs that
    have been made already. most: so many draws are made now. other: locals that are known to be other values, which wait
    for no draw. None, with a remark, where one of the two cannot be replayed.
    """
    name, run = both.subject.name, "free" if replayed is None else "replay"
    limit = ACCURACY if lane == "float32" else M
    gradients = lane == "float64" or replayed is not None
    # A forward-only run says nothing about gradients.
    stages = None if lane == "float64" else frozenset({both.subject.stage, "state", *(["gradients"] if gradients else [])})
    kept = kept or Kept()
    noise = kept.noise = kept.noise or both.noise(lane, truth, replayed=replayed, draws=draws)
    against, failure = kept.against, kept.failure
    counts = range(noise.fewest, 1 + (draws if most is None else most))
    for count in counts if sparing else sorted({counts[0], counts[-1]}):
        tell(f"noise of the reference, {lane}, {run}: {count} of {draws} draws")
        try:
            floors = noise.floors(count)
        except Exception as error:
            if replayed is None or not is_users(error, both.pair.reference_source):
                raise
            report.remarks.append(_no_replay(error, say("the reference")))  # it ran when it was free
            return None
        against, found = None if against is None else against.beside(floors, limit), Report(name)
        if against is None:
            tell(f"twin, {lane}, {run}")
            against = Against(truth, floors, limit, printing=lane == "float64" and both.pair.names is not None)
            failure = both.twin(lane, against, replayed=replayed, gradients=gradients)
        if failure is not None and replayed is not None and not _the_twin_raised(report) and not came_back(against, truth, name):
            report.remarks.append(_no_replay(failure, say("the twin")))
            return None
        judge = Judge(name, both.pair, lane, run, truth, floors, limit, stages,
                      start=both.subject.state if lane == "float64" else None, idle=both.idle, settings=both.settings)
        judge.judge(against, failure, found)
        if lane == "float64" and both.pair.names is not None:
            first = min(found.diverged, key=lambda finding: finding.order, default=None)
            found.placing[run] = Placing(first and first.key, functools.partial(judge.placed, against=against))
        waiting = [*found.diverged, *(one for one in found.uncompared if _went_apart(one) and one.key not in other)]
        if not waiting or (lane == "float64" and _is_beyond_doubt(found, waiting, noise, limit)):
            break
    report.add(found)
    return against


def _is_beyond_doubt(found: Report, waiting: Iterable[Finding], noise: Noise, limit: float) -> bool:
    """Whether no further draw can change what has been found. Behind a kink one draw in several may move a gradient by all that it
    is, so gradients alone are never beyond doubt; beside values that are, they follow from those."""
    alone = found.diverged and all(finding.key.stage == "gradients" for finding in found.diverged)
    return not alone and all(noise.is_beyond_doubt(finding, limit) for finding in waiting)


def _went_apart(uncompared: Finding) -> bool:
    """Whether a value that both sides have is left out for how it went apart: by larger floors it may be the same."""
    return uncompared.deviation.trouble is None


def _the_twin_raised(report: Report) -> bool:
    return any(finding.variable == RAISED for finding in report.diverged)


_OF_TABLES = say("each side has made tables for itself in float32, in a form that the other does not have; that they are rounded "
                 "there was taken for rounding: a mistake as small as that would not be seen")


def may_be_of_a_constant(first: Finding | None) -> bool:
    """Whether the first divergence is no larger than a constant's rounding to float32 may make it."""
    return (first is not None and first.lane == "float64" and first.key.stage in ("forward", "losses")
            and first.deviation.index is not None and first.deviation.relative <= NEAR)


def _no_replay(error: Exception, side: Message) -> Message:
    """A replay cuts the graph between modules; a program may need it whole, as one that differentiates in its forward does. It ran
    when it was free, so that is no fault of it."""
    return say("no layer could be judged alone: {side} cannot run in pieces ({error})", side=side, error=in_words(error))


def _forgive_kinks(both: Both, truth: Store, report: Report) -> None:
    """Gradients that diverge only because rounding chose another side of a kink are noise, with that as their cause.

    On a constant picture a norm's output is pure rounding: the reference's may be 9e-8 where the twin's is 0, and a ReLU then
    passes the whole gradient or none. That is what happened if all forward values are within their floors, some of them on
    another side of zero, and every piece of the twin, given the reference's values (replay), has the reference's gradients: also
    where a program written otherwise might have others at the border of a layer, if those are what diverges.
    """
    if any(f.key.stage != "gradients" or f.run == "replay" or f.deviation.trouble for f in report.diverged):
        return
    apart = {f.key: f.run for f in report.uncompared if _went_apart(f)}
    if any(not f.key.is_local and apart.get(f.key) == "replay" for f in report.diverged):
        return
    crossings = Crossings(truth, apart)
    both.twin("float64", crossings, gradients=False)
    if crossings.count:
        cause = say("rounding: {count} values on another side of zero, with whose sides in replay the gradients agree",
                    count=crossings.count)
        report.kinks += crossings.count
        report.forgive(cause)


def _written_otherwise(report: Report) -> set[str]:
    """The inner modules that return other things on the two sides, by number or shape, or other values of no consequence."""
    return {finding.key.module for finding in report.findings
            if finding.run == "free" and finding.key.variable.startswith("output") and finding.key.stage == "forward"
            and not finding.promised and (finding.verdict is Verdict.UNCOMPARED or (
                finding.verdict is Verdict.DIVERGED and finding.deviation.trouble and finding.deviation.index is None))}


class Both(Sides):
    """Both sides of a subject, built once; every run starts from the subject's state again.

    operations: whether single operations are watched in the runs to come. idle: of random numbers that one side alone draws, and of
    which it makes nothing. lifted: of runs in float64 in which what the programs name float32 is that, too. coarse: whether noise
    draws move the tables that the reference has made for itself by their own rounding, which may be single precision's.
    """

    idle: frozenset[Key] = frozenset()
    lifted: Lifted | None = None
    coarse = False

    def __init__(self, subject: Subject, device: str, *, operations: bool = False) -> None:
        self.subject, self.device, self.operations = subject, device, operations
        super().__init__(subject.pair)
        self.tape = Tape(subject.seed)
        self.models = self._built()
        self._memos = tuple(None if model is None else Memos(framework, model)
                            for framework, model in zip(self.frameworks, self.models, strict=True))
        self._caches = tuple(map(Caches, self.frameworks, self.sources))
        self._own = tuple(framework.state(model) if subject.own_weights else {}
                          for framework, model in zip(self.frameworks, self.models, strict=True))
        self._pair_by(subject.told.get("choice", Choice()))
        if (self.census.silent or self.census.doubtful) and not self.census.unpaired and "choice" not in subject.told:
            self._tell_by_value()
        if subject.told.get("choice", Choice()) != Choice():
            said = subject.told["choice"].said()
            self.census = with_changes(self.census, guesses=(*self.census.guesses, said))

    def _pair_by(self, choice: Choice) -> None:
        self.census = self._paired(choice)
        name = self.subject.name
        self.pair_up(tuple({} if model is None else {name: model} for model in self.models), {name: self.census})
        self._made = tuple({} if model is None else {
            name: framework.array(framework.entries(model)[name], copy=True) for name in lone | framework.unsaved(model)}
            for framework, model, lone in zip(self.frameworks, self.models, self.census.lone, strict=True))

    @functools.cached_property
    def begun(self) -> Report:
        """The rungs before the first run: census and weights, which no run changes. Where a tensor has no partner, there is no more
        to say."""
        report = Report(self.subject.name)
        _judge_census(self, report)
        if self.census.unpaired:
            report.remarks.append(self.census.left_open())
            report.findings.sort(key=lambda finding: finding.order)
        else:
            _judge_weights(self, report)
        report.census = report.compared
        return report

    def _built(self) -> tuple[Any, Any]:
        models = []
        for side, build in enumerate((self.subject.reference, self.subject.twin)):
            with self.building(side):
                models.append(build())
        return tuple(models)

    def _tell_by_value(self) -> None:
        """Settle what nothing tells but the values that both compute: in eval mode, where nothing is dropped out, or else as asked.
        What the reference raises is for its first run to say."""
        asked, tape = self.subject, self.tape
        choice = None
        with self._restored((0, 1)):  # the census is yet to see the weights that they came with
            for training in sorted({False, asked.training}):
                self.subject, self.tape = with_changes(asked, training=training), Tape(asked.seed)
                choice = self._choice() if choice is None else choice
        self.subject, self.tape = asked, tape
        self.subject.told["choice"] = choice or Choice()
        self._pair_by(self.subject.told["choice"])

    def _choice(self) -> Choice | None:
        ours = Glimpse(self.subject.name)
        try:
            self.reference("float64", ours, gradients=False, measure=False)
        except Exception as error:
            if not is_users(error, self.sources[0]):
                raise
            return None

        def agreeing(choice: Choice) -> tuple[bool, int]:
            self._pair_by(choice)
            theirs = Glimpse(self.subject.name)
            failure = self.twin("float64", theirs, gradients=False)
            return failure is None and theirs.returned(ours), theirs.agreeing(ours)

        return settled(self.census.silent, self.census.doubtful, agreeing)

    def _paired(self, choice: Choice) -> Census:
        with naming(self.subject.name):
            census = take(*self.models, self.frameworks, self.sites, self.pair.layouts, names=self.pair.names, choice=choice)
        known = self.models, self.frameworks, lambda side, name: self.built(side, name.rpartition(".")[0])
        census = each_once(census, *known)
        if self.subject.own_weights or self.pair.names is None:  # these are judged for themselves; ours are built from seeds
            return census
        return tables(own_weights(census, *known), *known, self.subject.redrawn)

    def reference(self, dtype: str, sink: Sink, *, draw: Draw = UNMOVED, replayed: Store | None = None,
                  gradients: bool = True, measure: bool | None = None, release: bool = False,
                  truth: Store | None = None) -> None:
        """Runs the reference. draw: how it is moved for its noise. measure, release: as in `Recorder`; by default what is stored is
        measured. truth: where the choices of the run are kept, or in a draw those that it goes on with; by default the sink, if it
        is a store."""
        self._run(0, dtype, sink, draw, replayed, gradients,
                  measure=isinstance(sink, Store) if measure is None else measure,
                  release=release, truth=sink if truth is None and isinstance(sink, Store) else truth)

    def note_choices(self, store: Store, tell: Progress) -> None:
        """Where no run has noted in it what the reference chooses, one is made for that."""
        if store.choices is None:
            tell("choices of the reference, float64")
            self.reference("float64", Nowhere(), gradients=False, measure=False, truth=store)

    def noise(self, lane: str, truth: Store, *, replayed: Store | None = None, draws: int = DRAWS) -> Noise:
        """The noise of the lane: of a free run, or of a replay. In float32 only a replay tells of gradients."""
        gradients = lane == "float64" or replayed is not None

        def again(sink: Sink, draw: Draw) -> None:
            self.reference(lane, sink, draw=draw, replayed=replayed, gradients=gradients, truth=truth)

        return Noise(again, truth, lane, draws=draws, gradients=gradients, spread=self.device != "cpu")

    def floors(self, lane: str, truth: Store, *, replayed: Store | None = None, draws: int = DRAWS) -> dict[Key, float]:
        """The floors after all draws."""
        return self.noise(lane, truth, replayed=replayed, draws=draws).floors(draws)

    def twin(self, dtype: str, sink: Sink, *, replayed: Store | None = None, gradients: bool = True,
             release: bool = False, righted: frozenset[Key] = frozenset()) -> Exception | None:
        """Runs the twin; an exception that it raises is handed back, for it is a finding. release, righted: as in `Run`."""
        try:
            self._run(1, dtype, sink, UNMOVED, replayed, gradients, measure=False, release=release, righted=righted)
        except InputError:  # a recording that cannot be read is no fault of the twin's
            raise
        except Exception as error:
            if self.census.findings or is_users(error, self.sources[1]):  # weights that do not fit: the census has said it
                return error
            raise
        return None

    def lifted_where_needed(self, run: Callable[[], Report], lanes: Container[str], *, constants: bool = False) -> Report:
        """What `run` comes to. Where a side raises in float64, it is made again with float32 lifted, and that stands if it does
        not raise then: the cast by name was all that was wrong, and in float32, as the programs are used, it changes nothing. So it
        is with a constant that one side names float32: where the first divergence is that small, it is made again with all
        constants rounded, and that stands if what diverges then comes later, or nothing does; and with tables that each side has
        made for itself in float32, where nothing is farther off than their rounding: with that in the floors, if nothing diverges
        then. constants: whether these two are asked, of a run that knows what the frameworks do differently."""
        report, raised = self._outcome(run)
        if "float64" in lanes and (report is None or _the_twin_raised(report)):
            self.lifted = Lifted()
            again, later = self._outcome(run)
            if again is not None and self.lifted.count and (report is None or not _the_twin_raised(again)):
                again.remarks.append(self.lifted.said)
                return again
            self.lifted, raised = None, raised and (later or raised)
        elif constants and "float64" in lanes and self.pair.names is not None and may_be_of_a_constant(report.first):
            self.lifted = Rounded()
            again, _ = self._outcome(run)
            if again is not None and self.lifted.count and (again.first is None or again.first.order > report.first.order):
                again.remarks.append(self.lifted.said)
                return again
            self.lifted = None
        if constants and "float64" in lanes and raised is None and self._may_be_of_tables(report):
            self.coarse = True
            again, _ = self._outcome(run)
            if again is not None and not again.diverged:
                again.remarks.append(_OF_TABLES)
                return again
            self.coarse = False
        if raised is not None:
            raise raised
        return report

    def _may_be_of_tables(self, report: Report) -> bool:
        """Whether both sides have made tables in single precision for themselves, which the other has in another form (an angle's
        sine and cosine, a complex number), and nothing that is promised differs by more than their rounding may come to."""
        def single(made: Mapping[str, np.ndarray]) -> bool:
            return any(array.dtype in (np.float32, np.complex64) for array in made.values())

        promised = [finding for finding in report.diverged if finding.promised]
        return (self.pair.names is not None and all(map(single, self._made)) and bool(promised)
                and all(finding.deviation.relative <= NEAR for finding in promised))

    def _outcome(self, run: Callable[[], Report]) -> tuple[Report | None, Exception | None]:
        """What a comparison comes to, or what the reference raised in it."""
        try:
            report = run()
        except Exception as error:
            if not is_users(error, self.sources[0]):
                raise
            return None, error
        if self.unlowered:
            report.remarks.append(UNLOWERED)
        return report, None

    def side_by_side(self, dtype: str, pass_: Interleaved, *, gradients: bool = True) -> Exception | None:
        """Runs reference and twin in turns; hands back what the twin raises."""
        # No hook is left on a model of the caller's own.
        ours = [sites.built(model) for sites, model in zip(self.sites, self.models, strict=True)]
        self.tape.more = self.results.more = pass_.more
        with kept_for_later():
            return pass_.run(lambda sink: self.reference(dtype, sink, measure=True, gradients=gradients, release=ours[0],
                                                         truth=pass_.truth if pass_.keeps else None),
                             lambda sink: self.twin(dtype, sink, gradients=gradients, release=ours[1]))

    @contextmanager
    def as_they_were(self) -> Iterator[Both]:
        """Gives models that were not built here, but are the caller's own, back with the weights, the dtype and the mode that
        they came with."""
        with self._restored(side for side in (0, 1) if not self.sites[side].built(self.models[side])):
            yield self

    @contextmanager
    def _restored(self, sides: Iterable[int]) -> Iterator[None]:
        held, theirs = [], [(self.frameworks[side], self.models[side]) for side in sides]
        for framework, model in theirs:
            arrays = framework.state(model)
            held.append((arrays, next((str(a.dtype) for a in arrays.values() if a.dtype.kind == "f"), "float32"), model.training))
        try:
            yield
        finally:
            for (framework, model), (arrays, dtype, training) in zip(theirs, held, strict=True):
                framework.prepare(model, dtype=dtype, training=training, device="cpu")
                framework.load_state(model, arrays)

    def weights(self) -> Iterator[tuple[str, np.ndarray, np.ndarray, Deviation]]:
        """(reference name, reference array, twin array in the reference's layout, their deviation) after loading."""
        held = []
        for side, (framework, model) in enumerate(zip(self.frameworks, self.models, strict=True)):
            self._load(side, "float64")
            held.append(framework.entries(model))
        for target, entry in self.entries().items():
            if entry.source in self.census.apart:
                continue  # the census says what there is to say
            left = self.frameworks[0].array(held[0][entry.source], copy=False)
            left = entry.piece(left)
            right = np.asarray(entry.to_torch(self.frameworks[1].array(held[1][target], copy=False)), order="C")
            yield entry.source, left, right, deviation(left, right)

    def remarks(self) -> Iterator[str]:
        """What was guessed in pairing the two, and the modules that have no partner."""
        yield from self.census.guesses
        if self.idle:
            yield say("{count} random numbers are drawn on one side only, which asks of each one thing alone, whether it is below "
                      "or above another: with the smallest and the largest number there, for any two of them, it computes the "
                      "same", count=len(self.idle))
        for framework, model in zip(self.frameworks, self.models, strict=True):
            refused = [] if self.subject.training else framework.without_gradient_in_eval(model)
            if refused:
                yield say("{names}: gradients of a recurrent layer are not available in {framework}'s eval mode, its backward "
                          "raises; compared are those of train mode without dropout, where it computes the same",
                          names=some([path or type(model).__name__ for path in refused]), framework=framework.name)
        for side, (framework, model) in enumerate(zip(self.frameworks, self.models, strict=True)):
            paths = self.paths(side, self.subject.name)
            modules = dict(framework.modules(model))
            whole = tuple(f"{path}." for path, module in modules.items() if type(module).__name__.lower() in WHOLE)
            lonely = [path for path, module in modules.items() if paths is not None and path not in paths
                      and not type(module).__name__.endswith(("List", "Dict")) and not path.startswith(whole)]
            if lonely:
                yield several("{count} module of the {side} has no partner, so what it returns was not compared at its border: "
                              "{names}",
                              "{count} modules of the {side} have no partner, so what they return was not compared at their "
                              "border: {names}", len(lonely), side=term(("reference", "twin")[side]), names=some(lonely, 6))

    def held(self, side: int, dtype: str) -> Iterator[tuple[str, np.ndarray, Site | None]]:
        """(name, array, line that built its owner) of each entry of a side after loading, in the reference's names and layouts.
        What the other side has none of keeps its own name; what the conversion drops, or the census sets aside, is left out."""
        self._load(side, dtype)
        framework, model, entries = self.frameworks[side], self.models[side], self.entries()
        dropped = {entry.source for entry in self.census.plan.entries.values() if entry.target is None}
        aside = self.census.aside[side]
        for name, tensor in {**framework.parameters(model), **framework.buffers(model)}.items():
            array, site = framework.array(tensor, copy=True), self.built(side, name.rpartition(".")[0])
            if side and name in entries:
                name, array = entries[name].source, np.asarray(entries[name].to_torch(array), order="C")
            if name not in aside and (side or name not in dropped):
                yield name, array, site

    def built(self, side: int, path: str) -> Site | None:
        """Where the module at that path was built."""
        module = dict(self.frameworks[side].modules(self.models[side])).get(path)
        return self.sites[side].of(module) if module is not None else None

    def entries(self) -> dict[str, Entry]:
        """The twin's name -> its entry, of all that both sides have."""
        return {entry.target: entry for entry in self.census.plan.entries.values() if entry.target is not None}

    def _twin_state(self, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The reference's state in the twin's names and layouts. What only the twin has stays as the twin made it."""
        entries, framework, model = self.entries(), self.frameworks[1], self.models[1]
        own = {**framework.parameters(model), **framework.buffers(model)}
        values = {name: framework.array(tensor, copy=True) for name, tensor in own.items() if name not in entries}
        values |= {name: array for name, array in self._made[1].items() if name in values}
        if self.subject.own_weights:
            return values | self._own[1]
        return values | {name: np.asarray(entry.to_paddle(state[entry.source]), order="C") for name, entry in entries.items()}

    def _state(self, dtype: str, moved: int | None) -> Mapping[str, np.ndarray]:
        state = self._own[0] if self.subject.own_weights else self._made[0] | self.subject.state
        if moved is None:
            return state  # the model has its dtype already, and takes each number over in that
        moving = (move({name: array if self.coarse and name in self._made[0] else in_lane(array, dtype)},
                       self.subject.seed, moved, "state") for name, array in state.items())
        return {name: array for one in moving for name, array in one.items()}  # not all of them in two copies at a time

    def _inputs(self, dtype: str, moved: int | None = None) -> dict[str, np.ndarray]:
        inputs = _cast(self.subject.inputs, dtype)
        return inputs if moved is None else move(inputs, self.subject.seed, moved, "input", inwards=True)

    def _load(self, side: int, dtype: str, moved: int | None = None) -> None:
        """Make a side's model ready for a run. Nothing is kept of the arrays in between."""
        framework, model, state = self.frameworks[side], self.models[side], self._state(dtype, moved)
        self._memos[side].clear()
        self._caches[side].clear()
        framework.prepare(model, dtype=dtype, training=self.subject.training, device=self.device)
        framework.load_state(model, self._twin_state(state) if side else state)

    def _run(self, side: int, dtype: str, sink: Sink, draw: Draw, replayed: Store | None, gradients: bool,
             measure: bool, release: bool, truth: Store | None = None, righted: frozenset[Key] = frozenset()) -> None:
        subject, framework, model, moved = self.subject, self.frameworks[side], self.models[side], draw.number
        give_back()
        self._load(side, dtype, moved)
        inputs = self._inputs(dtype, moved)
        rng = None if moved is None else generator("ulp", subject.seed, moved, "replay")
        values = replayed.replayed(rng) if replayed is not None else None
        program = self.side(side, name=subject.name, paths=self.paths(side, subject.name))
        recorder = Recorder(program, sink, Run(measure=measure, gradients=gradients, operations=self.operations, replay=values,
                                               release=release, stage=subject.stage, device=self.device,
                                               random=self.tape.hand(side), results=self.results.of(side), righted=righted,
                                               lifted=self.lifted if dtype == "float64" else None))
        arrange = functools.partial(subject.arrange, side)
        noting: Any = nullcontext()
        if truth is not None and dtype == "float64" and values is None and moved is None:  # draws may follow
            truth.choices, noting = framework.choosing()
        choices = None if truth is None else truth.choices
        rounding = framework.rounding(1 + moved, choices, pairwise=draw.pairwise) if draw.rounding else noting
        with (rounding, framework.seeded(subject.seed), python_and_numpy(subject.seed),
              framework.default_dtype(dtype)):  # what programs make without naming a dtype
            if values is not None:
                replay(framework, model, list(inputs.values()), recorder, values, calls=subject.calls,
                       device=self.device, arrange=arrange)
            else:
                forward_backward(framework, model, list(inputs.values()), self._probe(dtype, moved), recorder,
                                 calls=subject.calls, device=self.device, backward=gradients, arrange=arrange)
        self.unlowered |= recorder.asks_for_half and self.device == "cpu"

    def _probe(self, dtype: str, moved: int | None) -> Callable[[int, tuple[int, ...]], np.ndarray]:
        """Output number, shape -> the gradient that backward starts from: a standard normal, the same on both sides."""
        def probe(number: int, shape: tuple[int, ...]) -> np.ndarray:
            array = generator("probe", self.subject.seed, number).standard_normal(shape)
            # Rounded to float32 first, so that both lanes start from the same numbers.
            array = array.astype(np.float32).astype(dtype)
            return array if moved is None else move({"": array}, self.subject.seed, moved, "probe", number)[""]

        return probe


def _cast(values: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    return {name: in_lane(array, dtype) for name, array in values.items()}


def _judge_census(both: Both, report: Report) -> None:
    census = both.census
    report.counts[Verdict.SAME] += census.compared - len(census.findings)
    report.counts[Verdict.DIVERGED] += len(census.findings)
    for number, finding in enumerate(census.findings):
        report.findings.append(_census_finding(both.subject, number - len(census.findings), finding))


def _judge_weights(both: Both, report: Report) -> None:
    """Whether both sides really hold the same weights: the only rung where bits must be equal."""
    for order, (name, left, right, found) in enumerate(both.weights()):
        verdict = Verdict.DIVERGED if found.distance else Verdict.SAME
        report.counts[verdict] += 1
        if verdict is Verdict.DIVERGED:
            likeness = resemblance(left, right)
            owner, _, variable = name.rpartition(".")
            key = Key("census", 0, None, ".".join(filter(None, (both.subject.name, owner))), 0, "", 0, variable, 0)
            report.findings.append(Finding(
                both.subject.name, "float64", "free", key, verdict, Order.census(order), found,
                reference=both.built(0, owner), twin=both.built(1, owner),
                cause=say("the twin's values are {likeness}; a transposed weight?", likeness=likeness) if likeness else None))


def _census_finding(subject: Subject, order: int, finding: CensusFinding) -> Finding:
    owner, _, variable = finding.name.rpartition(".")
    module = ".".join(filter(None, (subject.name, owner)))
    key = Key("census", 0, None, module, 0, "", 0, variable, 0)
    return Finding(subject.name, "census", "free", key, Verdict.DIVERGED, Order.census(order), finding.deviation,
                   reference=finding.reference, twin=finding.twin)
