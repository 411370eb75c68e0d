"""The ladder: one subject, rung by rung (census, forward, gradients, state), in two lanes, with its noise floors.

float64 lane: are the two the same computation? Each value's distance from the reference, in noise floors.
float32 lane: is the twin as accurate as the reference? The error of each side against the float64 truth.

The reference runs first and its values are kept; all later runs (noise draws, the twin) are compared as they go and keep
nothing. So the peak is the reference's trace plus one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import replace as with_changes
from typing import Any

import numpy as np

from parity.census import Census, CensusFinding, take
from parity.compare import Deviation, Verdict, deviation, resemblance
from parity.execute import forward_backward, replay
from parity.findings import Finding, Report
from parity.noise import ACCURACY, DRAWS, M, generator, move
from parity.pair import Subject
from parity.sinks import Against, Distances, Store
from parity.source import ConstructionSites, Site
from parity.trace import Event, Key, Recorder, Sink
from weights_convert import Entry

Progress = Callable[[str], None]


def compare(subject: Subject, *, lanes: Iterable[str] = ("float64", "float32"), device: str = "cpu", draws: int = DRAWS,
            progress: Progress | None = None) -> Report:
    """Compare the two sides of a subject. Raises whatever the *reference* raises; what the twin raises is a finding."""
    tell = progress or (lambda what: None)
    both = _Both(subject, device)
    report = Report(subject.name)
    _judge_census(both, report)
    _judge_weights(both, report)
    tell("reference, float64")
    truth = Store()
    both.reference("float64", truth)
    if "float64" in lanes:
        _float64_lane(both, truth, draws, report, tell)
    if "float32" in lanes:
        _float32_lane(both, truth, draws, report, tell)
    _order_census(report, truth)
    return report


def _order_census(report: Report, truth: Store) -> None:
    """Census findings come first, among themselves in the order in which their modules run."""
    ran: dict[str, int] = {}
    for event in truth.in_order():
        ran.setdefault(event.key.module, event.order)
    before_all = len(truth.events) + 1
    report.findings = [with_changes(finding, order=ran.get(finding.key.module, before_all) - 2 * before_all)
                       if finding.key.stage == "census" else finding for finding in report.findings]
    report.findings.sort(key=lambda finding: finding.order)


def _float64_lane(both: _Both, truth: Store, draws: int, report: Report, tell: Progress) -> None:
    tell("noise floor, float64")
    noise = Distances(truth)
    for draw in range(draws):
        both.reference("float64", noise, moved=draw)
    floors = _floors(truth, noise, np.float64)
    tell("twin, float64")
    against = Against(truth, floors, M)
    failure = both.twin("float64", against)
    judge = _Judge(both.subject, "float64", "free", truth, floors, limit=M)
    judge.judge(against, failure, report)
    if report.diverged:
        tell("replay, float64")
        noise = Distances(truth)
        for draw in range(draws):
            both.reference("float64", noise, moved=draw, replayed=truth)
        floors = _floors(truth, noise, np.float64)
        against = Against(truth, floors, M)
        failure = both.twin("float64", against, replayed=truth)
        _Judge(both.subject, "float64", "replay", truth, floors, limit=M).judge(against, failure, report)


def _float32_lane(both: _Both, truth: Store, draws: int, report: Report, tell: Progress) -> None:
    """Forward values in a free run; gradients in a replay, where both sides take the truth's side of every kink."""
    for run, replayed in (("free", None), ("replay", truth)):
        options = {"replayed": replayed, "gradients": replayed is not None}
        tell(f"accuracy of the reference, float32, {run}")
        noise, any_order = Distances(truth), Distances(truth)
        both.reference("float32", noise, **options)
        for draw in range(draws):
            both.reference("float32", noise, moved=draw, rounding=False, **options)
            if replayed is not None:
                both.reference("float32", any_order, moved=draw, **options)
        floors = _floors(truth, noise, np.float32, any_order)
        tell(f"twin, float32, {run}")
        against = Against(truth, floors, ACCURACY)
        failure = both.twin("float32", against, **options)
        _Judge(both.subject, "float32", run, truth, floors, ACCURACY, replayed is not None).judge(against, failure, report)


def _floors(truth: Store, noise: Distances, dtype: type, any_order: Distances | None = None) -> dict[Key, float]:
    """The noise floor of every value: what the draws did to it, and never less than its own operation's rounding.

    In float32 a value is not allowed the sqrt(terms) of a sum in any order: a naive sum over a whole feature map is just
    what makes a twin less accurate than its reference (paddle.var: 3.7e-3). The gradient of a local is, from draws of its
    own: where a value was broadcast, its gradient is a sum, perhaps one that cancels, and both frameworks add as they please.
    """
    eps = float(np.finfo(dtype).eps)
    floors = {}
    for key, event in truth.events.items():
        floor = max(noise.largest.get(key, 0.0), eps * event.scale)
        if any_order is not None and key.stage == "gradients" and key.is_local:
            floor = max(floor, any_order.largest.get(key, 0.0), eps * event.unit)
        elif dtype is np.float64:
            floor = max(floor, eps * event.unit)
        floors[key] = floor
    return floors


class _Both:
    """Both sides of a subject, built once; every run starts from the subject's state again."""

    def __init__(self, subject: Subject, device: str) -> None:
        self.subject, self._device = subject, device
        pair = subject.pair
        self._frameworks = (pair.reference_framework, pair.twin_framework)
        self._sources = (pair.reference_source, pair.twin_source)
        self._sites = (ConstructionSites(), ConstructionSites())
        models = []
        for framework, source, sites, build in zip(self._frameworks, self._sources, self._sites,
                                                   (subject.reference, subject.twin), strict=True):
            with sites.watch(framework.module_class, source):
                models.append(build())
        self._models = tuple(models)
        self.census: Census = take(*self._models, self._frameworks, self._sites, pair.layouts)

    def reference(self, dtype: str, sink: Sink, *, moved: int | None = None, replayed: Store | None = None,
                  gradients: bool = True, rounding: bool = True) -> None:
        """Runs the reference. moved: number of a noise draw; with `rounding` it also moves every operation's result."""
        state, inputs = self._values(dtype, moved)
        self._run(0, dtype, sink, state, inputs, moved, replayed, gradients, view=lambda name, array: (name, array),
                  measure=isinstance(sink, Store), rounding=rounding and moved is not None)

    def twin(self, dtype: str, sink: Sink, *, replayed: Store | None = None, gradients: bool = True) -> Exception | None:
        """Runs the twin; an exception that it raises is handed back, for it is a finding."""
        state, inputs = self._values(dtype, None)
        target, entries = self._twin_state(state), self._entries()

        def view(name: str, array: np.ndarray | None) -> tuple[str, np.ndarray | None]:
            bare = name.removeprefix(self.subject.name + ".")
            if bare not in entries:
                return name, array
            entry = entries[bare]
            return (f"{self.subject.name}.{entry.source}",
                    None if array is None else np.ascontiguousarray(entry.to_torch(array)))

        try:
            self._run(1, dtype, sink, target, inputs, None, replayed, gradients, view, measure=False, rounding=False)
        except Exception as error:  # the user's program: anything may come
            return error
        return None

    def weights(self) -> Iterator[tuple[str, np.ndarray, np.ndarray, Deviation]]:
        """(reference name, reference array, twin array in the reference's layout, their deviation) after loading."""
        state, _ = self._values("float64", None)
        held = []
        for framework, model, values in zip(self._frameworks, self._models, (state, self._twin_state(state)), strict=True):
            framework.prepare(model, dtype="float64", training=self.subject.training, device=self._device)
            framework.load_state(model, values)
            held.append({**framework.parameters(model), **framework.buffers(model)})
        for target, entry in self._entries().items():
            left = self._frameworks[0].array(held[0][entry.source], copy=False)
            right = np.ascontiguousarray(entry.to_torch(self._frameworks[1].array(held[1][target], copy=False)))
            yield entry.source, left, right, deviation(left, right)

    def built(self, side: int, path: str) -> Site | None:
        """Where the module at that path was built."""
        module = dict(self._frameworks[side].modules(self._models[side])).get(path)
        return self._sites[side].of(module) if module is not None else None

    def _entries(self) -> dict[str, Entry]:
        return {entry.target: entry for entry in self.census.plan.entries.values() if entry.target is not None}

    def _twin_state(self, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The reference's state in the twin's names and layouts. What only the twin has stays as the twin made it."""
        entries, framework, model = self._entries(), self._frameworks[1], self._models[1]
        own = {**framework.parameters(model), **framework.buffers(model)}
        values = {name: framework.array(tensor, copy=True) for name, tensor in own.items() if name not in entries}
        return values | {name: np.ascontiguousarray(entry.to_paddle(state[entry.source])) for name, entry in entries.items()}

    def _values(self, dtype: str, moved: int | None) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        subject = self.subject
        state, inputs = _cast(subject.state, dtype), _cast(subject.inputs, dtype)
        if moved is not None:
            state = move(state, subject.seed, moved, "state")
            inputs = move(inputs, subject.seed, moved, "input")
        return state, inputs

    def _run(self, side: int, dtype: str, sink: Sink, state: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray],
             moved: int | None, replayed: Store | None, gradients: bool, view: Any, measure: bool,
             rounding: bool) -> None:
        subject, framework, model = self.subject, self._frameworks[side], self._models[side]
        framework.prepare(model, dtype=dtype, training=subject.training, device=self._device)
        framework.load_state(model, state)
        rng = None if moved is None else generator("ulp", subject.seed, moved, "replay")
        values = replayed.replayed(rng) if replayed is not None else None
        recorder = Recorder(framework, self._sources[side], sink, view=view, constructions=self._sites[side],
                            measure=measure, gradients=gradients, replay=values, device=self._device,
                            name=subject.name)
        recorder.stage = subject.stage
        with framework.rounding(1 + moved) if rounding else nullcontext():
            if values is not None:
                replay(framework, model, list(inputs.values()), recorder, values, calls=subject.calls,
                       device=self._device)
            else:
                forward_backward(framework, model, list(inputs.values()), self._probe(dtype, moved), recorder,
                                 calls=subject.calls, device=self._device, backward=gradients)

    def _probe(self, dtype: str, moved: int | None) -> Callable[[int, tuple[int, ...]], np.ndarray]:
        """Output number, shape -> the gradient that backward starts from: a standard normal, the same on both sides."""
        def probe(number: int, shape: tuple[int, ...]) -> np.ndarray:
            array = generator("probe", self.subject.seed, number).standard_normal(shape)
            # Rounded to float32 first, so that both lanes start from the same numbers.
            array = array.astype(np.float32).astype(dtype)
            return array if moved is None else move({"": array}, self.subject.seed, moved, "probe", number)[""]

        return probe


def _cast(values: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    return {name: array.astype(dtype) if array.dtype.kind == "f" else array for name, array in values.items()}


def _judge_census(both: _Both, report: Report) -> None:
    census = both.census
    report.counts[Verdict.SAME] += census.compared - len(census.findings)
    report.counts[Verdict.DIVERGED] += len(census.findings)
    for number, finding in enumerate(census.findings):
        report.findings.append(_census_finding(both.subject, number - len(census.findings), finding))


def _judge_weights(both: _Both, report: Report) -> None:
    """Whether both sides really hold the same weights: the only rung where bits must be equal."""
    for order, (name, left, right, found) in enumerate(both.weights()):
        verdict = Verdict.DIVERGED if found.distance else Verdict.SAME
        report.counts[verdict] += 1
        if verdict is Verdict.DIVERGED:
            likeness = resemblance(left, right)
            owner, _, variable = name.rpartition(".")
            key = Key("census", 0, None, ".".join(filter(None, (both.subject.name, owner))), 0, "", 0, variable, 0)
            report.findings.append(Finding(
                both.subject.name, "float64", "free", key, verdict, order - 1e6, found,
                reference=both.built(0, owner), twin=both.built(1, owner),
                cause=f"the twin's values are {likeness}; a transposed weight?" if likeness else None))


def _census_finding(subject: Subject, order: int, finding: CensusFinding) -> Finding:
    owner, _, variable = finding.name.rpartition(".")
    module = ".".join(filter(None, (subject.name, owner)))
    key = Key("census", 0, None, module, 0, "", 0, variable, 0)
    return Finding(subject.name, "census", "free", key, Verdict.DIVERGED, order, finding.deviation,
                   reference=finding.reference, twin=finding.twin)


@dataclass
class _Judge:
    """Turns what was measured in one run of the twin into verdicts."""

    subject: Subject
    lane: str
    run: str
    truth: Store
    floors: Mapping[Key, float]
    limit: float
    gradients: bool = True  # a forward-only run says nothing about gradients

    def judge(self, against: Against, failure: Exception | None, report: Report) -> None:
        found: list[Finding] = []
        stages = {self.subject.stage, "state"} | ({"gradients"} if self.gradients else set())
        good: Event | None = None
        for event in self.truth.in_order():
            key = event.key
            if key.stage not in stages or self._given(key):
                continue
            partner = against.matched.get(key)
            if partner is None:
                if self._expected(key):
                    continue
                finding = self._without_partner(event)
            else:
                finding = self._matched(event, *partner, against)
                stage = key.stage
                self._note(report.largest, stage, finding.deviation.relative)
                self._note(report.multiples, stage, finding.floor_multiple)
            report.counts[finding.verdict] += 1
            if finding.verdict in (Verdict.SAME, Verdict.NOISE):
                if not found:
                    good = event
                if finding.verdict is Verdict.SAME:
                    continue
            if finding.verdict is Verdict.DIVERGED and good is not None:
                finding = with_changes(finding, last_good=str(good.key), last_good_site=good.site)
            found.append(finding)
        for event, last in against.extra:
            if self._expected(event.key):
                continue
            finding = self._extra(event, last)
            report.counts[finding.verdict] += 1
            found.append(finding)
        if failure is not None:
            finding = self._failure(failure, against)
            report.counts[Verdict.DIVERGED] += 1
            found.append(finding)
        report.findings += found

    def _given(self, key: Key) -> bool:
        """In a replay, the gradients of the model's own outputs are handed to it: nothing of the twin's is in them."""
        return (self.run == "replay" and key.stage == "gradients" and key.module == self.subject.name
                and key.variable.startswith("output"))

    def _note(self, table: dict, stage: str, value: float) -> None:
        if np.isfinite(value):
            known = table.setdefault(f"{self.lane} {self.run}", {})
            known[stage] = max(known.get(stage, 0.0), value)

    def _matched(self, event: Event, twin: Event, deviation: Deviation, against: Against) -> Finding:
        floor = self.floors[event.key]
        multiple = deviation.distance / floor if floor else (np.inf if deviation.distance else 0.0)
        verdict = (Verdict.SAME if multiple <= 1 else Verdict.NOISE if multiple <= self.limit else Verdict.DIVERGED)
        cause = None
        if verdict is Verdict.DIVERGED:
            kept = against.kept.get(event.key)
            if kept is not None and event.array is not None:
                cause = resemblance(event.array, kept)
                cause = f"the twin's values are {cause}" if cause else None
        return self._finding(event, twin, verdict, deviation, floor, cause)

    def _without_partner(self, event: Event) -> Finding:
        verdict = Verdict.UNCOMPARED if event.key.is_local else Verdict.DIVERGED
        deviation = Deviation(np.inf, trouble="exists in the reference only" if event.key.is_local else
                              _missing_text(event.key))
        return self._finding(event, None, verdict, deviation, self.floors[event.key])

    def _expected(self, key: Key) -> bool:
        return key.is_local and f"{key.stage} {key.function}: {key.variable}" in self.subject.pair.one_sided

    def _extra(self, event: Event, last: Key | None) -> Finding:
        verdict = Verdict.UNCOMPARED if event.key.is_local else Verdict.DIVERGED
        before = self.truth.events[last].order if last is not None else 0
        deviation = Deviation(np.inf, trouble="exists in the twin only")
        return Finding(self.subject.name, self.lane, self.run, event.key, verdict, before + 0.5, deviation,
                       twin=event.site, called=event.called)

    def _failure(self, failure: Exception, against: Against) -> Finding:
        site, traceback = None, failure.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename in self.subject.pair.twin_source:
                site = Site(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
            traceback = traceback.tb_next
        last = against.last
        key = last or Key("forward", 0, None, self.subject.name, 0, "", 0, "", 0)
        key = key._replace(variable="(exception)", function="", occurrence=0)
        order = self.truth.events[last].order + 0.25 if last else 0
        text = " ".join(str(failure).split())
        deviation = Deviation(np.inf, trouble=f"the twin raised {type(failure).__name__}: {text[:300]}")
        return Finding(self.subject.name, self.lane, self.run, key, Verdict.DIVERGED, order, deviation, twin=site)

    def _finding(self, event: Event, twin: Event | None, verdict: Verdict, deviation: Deviation, floor: float,
                 cause: str | None = None) -> Finding:
        return Finding(self.subject.name, self.lane, self.run, event.key, verdict, event.order, deviation, floor,
                       reference=event.site, twin=twin.site if twin else None, called=event.called, cause=cause)


def _missing_text(key: Key) -> str:
    if key.stage == "gradients":
        return "the reference has a gradient here, the twin has none"
    if key.variable.startswith(("input", "output")):
        return "this call never happened in the twin"
    return "exists in the reference only"
