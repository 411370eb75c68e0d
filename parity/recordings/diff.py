"""`parity diff A B`: two traces, value by value, with the verdicts of `parity check`. Needs neither framework.

A stands where the reference stands in `check`; its floors are the unit (B's where A has none). Nothing can be run again
here: there is no replay in float64, so a divergence is placed where it first enters, kinks of rectifiers are not forgiven, and no
known difference of the frameworks is tried.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace as with_changes
from types import SimpleNamespace

import numpy as np

from parity.compare.results import Case, Result
from parity.frameworks.lifting import SAID
from parity.messages import Message, say, term, together
from parity.numbers.arrays import Deviation, Verdict
from parity.numbers.noise import ACCURACY, M
from parity.recordings.format import StoredEvent, dtype_of
from parity.recordings.traces import Program, Trace, TraceError, distance
from parity.report import summary
from parity.trace.events import Event, Key
from parity.verdict.causes import Evidence, cause_of
from parity.verdict.computed import nearby
from parity.verdict.findings import Finding, NothingCompared, Order, Report
from parity.verdict.judge import Failure, Judge
from parity.verdict.sinks import Against, Store
from parity.verdict.sketch import sketch

SUMMARY = "same up to summary"
NOT_LOOKED_AT = say("known differences of the frameworks (parity differences) were not looked at: to tell whether one accounts for "
                    "a divergence, PyTorch has to compute it again, which a recording cannot; parity compare looks at them, where "
                    "both run")


class Summary(summary.Summary):
    """All results of two traces. incomplete: what was not compared as a recording was interrupted."""

    def __init__(self, results: list[Result], one: Trace, other: Trace, incomplete: list[str]) -> None:
        versions = {f"{letter}: {name}": str(version) for letter, trace in (("A", one), ("B", other))
                    for name, version in {"side": f"{trace.side}, {trace.index.get('device', 'cpu')}", **trace.index["versions"],
                                          "platform": trace.index.get("platform", "")}.items()}
        super().__init__(results, versions)
        self.incomplete = incomplete
        self.summarised = "summaries" in (one.keep, other.keep)

    @property
    def verdict(self) -> str:
        found = super().verdict
        return SUMMARY if found == "same" and self.summarised else found

    def places(self) -> list[tuple[Finding, list[Result]]]:
        """Only of a replay: in a free run errors travel."""
        return [place for place in super().places() if place[0].run == "replay"]

    def sentence(self) -> Message:
        text = super().sentence()
        if self.verdict == SUMMARY:
            text = say("The same up to summary (whole values were not kept): {runs}, {compared}.", **text.values)
        return together([text, *(say("{line}.", line=line) for line in self.incomplete)], " ")


def diff(one: Trace, other: Trace) -> Summary:
    """Compare two traces. Raises TraceError, NothingCompared."""
    if one.lane != other.lane:
        raise TraceError(f"expected two traces of one lane, found {one.lane} in {one.folder} and {other.lane} in {other.folder}; "
                         f"record both with the same --lane")
    incomplete = [text for text in (one.interrupted, other.interrupted) if text]
    planned = [{tuple(name) for name in trace.index["planned"]} for trace in (one, other)]
    lonely = sorted(planned[0] ^ planned[1])
    if lonely:
        named = ", ".join(f"{title} ({mode})" for title, mode in lonely[:8])
        raise TraceError(f"expected the same programs in both, found in one only: {named}; record both with the same options")
    common = [name for name in one.names if name in other.names]
    if not common:
        raise NothingCompared(f"no program is in both traces; {'; '.join(incomplete) or 'nothing was recorded'}")
    return Summary([_compare(one, other, name) for name in common], one, other, incomplete)


def _compare(one: Trace, other: Trace, name: tuple[str, str]) -> Result:
    begun = time.perf_counter()
    left, right = one.program(name), other.program(name)
    title = f"{name[0]} ({name[1]})"
    for what in ("weights", "inputs", "seed", "calls", "training"):
        if left.document[what] != right.document[what]:
            raise TraceError(f"{title}: expected the same {what} in both traces, found {str(left.document[what])[:12]} in "
                             f"{one.folder} and {str(right.document[what])[:12]} in {other.folder}; record one of them with --from "
                             f"the other")
    (weights, _), _ = (trace.start(program.document) for trace, program in ((one, left), (other, right)))  # checks its hash, too
    found = Report(left.document["name"])
    _kinds(left, right, found)
    for run in _runs(one, other, left, right):
        _run(one, other, left, right, run, weights, found)
    found.findings.sort(key=lambda finding: finding.order)
    if {one.side, other.side} == {"reference", "twin"} and any(finding.key.stage != "census" for finding in found.diverged):
        found.remarks.append(NOT_LOOKED_AT)
    found.unseen = _unseen(left)
    found.verdict  # noqa: B018 (raises NothingCompared)
    subject = SimpleNamespace(name=left.document["name"], calls=left.document["calls"])
    return Result(Case(*name, subject), found, time.perf_counter() - begun)


def _runs(one: Trace, other: Trace, left: Program, right: Program) -> Iterator[str]:
    """A reference has one run only, its float64 values: they are the truth of every run of a twin."""
    yield "free"
    sides = [program for trace, program in ((one, left), (other, right)) if trace.side == "twin"]
    if sides and all("replay" in program.runs for program in sides):
        yield "replay"


def _run(one: Trace, other: Trace, left: Program, right: Program, run: str, weights: Mapping[str, np.ndarray],
         found: Report) -> None:
    truth, theirs = (program.runs["free" if trace.side == "reference" else run]
                     for trace, program in ((one, left), (other, right)))
    floors = left.floors.get(run) or right.floors.get(run) or {}
    stages = None
    if one.lane == "float32" and "twin" in (one.side, other.side):
        stages = {left.document["stage"], "state"} | ({"gradients"} if run == "replay" else {"census"})
    layers = "layers" in (one.keep, other.keep) or "summaries" in (one.keep, other.keep)
    truth, theirs = (_only(store, stages, layers) for store in (truth, theirs))
    # Two float32 twins may each be ACCURACY errors from the truth: twice that from each other.
    limit = M if one.lane == "float64" else ACCURACY * (2 if one.side == other.side == "twin" else 1)
    complete = {key: 0.0 if key.stage == "census" else floors.get(key, 0.0) for key in truth.events}
    against = _Against(truth, complete, limit, left, right)
    for event in theirs.in_order():
        against.receive(event if against.by_summary else
                        Event(event.key, event.order, event.site, event.array, event.built, event.called,
                              drawn=event.drawn))
    lane = Report(found.subject)
    pair = SimpleNamespace(one_sided=frozenset(left.document["one_sided"]), names={} if left.document.get("named") else None,
                           twin_source=())
    judge = Judge(left.document["name"], pair, one.lane, run, truth, complete, limit, start=weights)
    judge.judge(against, _failure(right), lane)
    if one.lane == "float64" and (left.document.get("lifted") is True or right.document.get("lifted") is True):
        lane.remarks.append(SAID)
    _explain(lane, judge, theirs)
    lane.findings = [_without_floor(finding, floors, lane) for finding in lane.findings]
    found.add(lane)


def _explain(lane: Report, judge: Judge, theirs: Store) -> None:
    """Give each place its cause and what is drawn of it: all values are at hand."""
    places = {id(finding) for finding in lane.places}
    for number, finding in enumerate(lane.findings):
        ours, other = (store.events.get(finding.key) for store in (judge.truth, theirs))
        if id(finding) not in places or finding.cause is not None or ours is None or other is None:
            continue
        arrays = ours.array, other.array
        if all(array is not None for array in arrays):
            evidence = Evidence(*arrays, ours, other, judge.held(finding.key), nearby(finding.key, judge.truth.in_order()))
            lane.findings[number] = with_changes(finding, cause=cause_of(evidence),
                                                 sketch=sketch(*arrays, finding.deviation.index))


class _Against(Against):
    """Compares whole values, or where one side kept summaries only, these."""

    def __init__(self, store: Store, floors: dict[Key, float], limit: float, left: Program, right: Program) -> None:
        super().__init__(store, floors, limit)
        self._left, self._right = left, right
        self.by_summary = left.values.summaries or right.values.summaries

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        if not self.by_summary:
            super().receive(event)
        elif partner is None:
            self.extra.append((event, self.last))
        else:
            self.matched[event.key] = (event, self._by_summary(partner, event))
            self.last = event.key

    def _by_summary(self, partner: StoredEvent, event: StoredEvent) -> Deviation:
        if partner.place == event.place:
            return Deviation(0.0)
        if partner.place is None or event.place is None:
            return Deviation(np.inf, trouble=say("exists in the twin only") if partner.place is None else
                             say("exists in the reference only"))
        (dtype, shape), (dtype2, shape2) = self._left.values.kinds[partner.place], self._right.values.kinds[event.place]
        if shape != shape2:
            return Deviation(np.inf, trouble=say("shape {reference} in the reference, {twin} in the twin",
                                                reference=tuple(shape), twin=tuple(shape2)))
        if dtype_of(dtype).kind != dtype_of(dtype2).kind:
            return Deviation(np.inf, trouble=say("dtype {reference} in the reference, {twin} in the twin",
                                                reference=dtype, twin=dtype2))
        if dtype_of(dtype).kind == "U":
            return Deviation(np.inf, trouble=say("another text"))
        return distance(self._left, self._right, partner, event)


def _only(store: Store, stages: Iterable[str] | None, layers: bool) -> Store:
    kept = Store()
    kept.events = {key: event for key, event in store.events.items()
                   if (stages is None or key.stage in stages) and not (layers and key.is_local)}
    return kept


def _without_floor(finding: Finding, floors: dict[Key, float], counted: Report) -> Finding:
    """A local that the reference does not have has no floor: unless equal to the bit, nobody can judge it."""
    if finding.verdict is not Verdict.DIVERGED or finding.key in floors or not finding.key.is_local or finding.deviation.trouble:
        return finding
    counted.counts[Verdict.DIVERGED] -= 1
    counted.counts[Verdict.UNCOMPARED] += 1
    text = say("no noise floor to judge it by: the reference has no such variable")
    return with_changes(finding, verdict=Verdict.UNCOMPARED, deviation=with_changes(finding.deviation, trouble=text))


def _kinds(left: Program, right: Program, found: Report) -> None:
    """Entries that both hold, one of them trained, the other not; and what was wrong when the two were paired."""
    ours, theirs = left.document["kinds"], right.document["kinds"]
    told = dict(left.document.get("twin", {}).get("census", ()))
    common = [name for name in ours if name in theirs]
    for name in common:
        if ours[name] != theirs[name]:
            told[name] = say("{left} in the reference, {right} in the twin", left=term(ours[name]), right=term(theirs[name]))
    found.census += len(common)
    found.counts[Verdict.SAME] += sum(name not in told for name in common)
    found.counts[Verdict.DIVERGED] += len(told)
    sites = [{(key.module, key.variable): event.site for key, event in program.runs["free"].events.items() if key.stage == "census"}
             for program in (left, right)]
    for number, (name, trouble) in enumerate(told.items()):
        owner, _, variable = name.rpartition(".")
        module = ".".join(filter(None, (left.document["name"], owner)))
        reference, twin = (known.get((module, variable)) for known in sites)
        found.findings.append(Finding(
            left.document["name"], "census", "free", Key("census", 0, None, module, 0, "", 0, variable, 0), Verdict.DIVERGED,
            Order.census(number), Deviation(np.inf, trouble=trouble), reference=reference, twin=twin))


def _failure(program: Program) -> Failure | None:
    found = program.document["failure"]
    return None if found is None else Failure(*found)


def _unseen(program: Program) -> str | None:
    name, stage = program.document["name"], program.document["stage"]
    places = [event.place for key, event in program.runs["free"].events.items()
              if key.module == name and key.stage == stage and key.variable.startswith("output")]
    if not places:
        return "the reference returns no tensor and no number that the harness knows how to find"
    if all(place is None or 0 in program.values.kinds[place][1] for place in places):
        return "all that the reference returns is empty"
    return None
