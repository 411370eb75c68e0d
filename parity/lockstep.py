"""Two training programs side by side, step by step: where they part, and whether rounding explains it.

free     each side goes its own way, and so do DRAWS copies of the reference that start one ulp away and round at random:
         the noise envelope. Training is chaotic: a few draws do not show how early a difference may grow. A step in which
         the twin leaves the envelope is judged alone, from the twin's own state: where the reference, put there, makes the
         same step, what has grown is rounding.
resync   after each step the twin takes over the reference's state, so that each step is judged alone.

A step is judged alone in a replay: at the border of each module, and before each update, both the twin and the noise draws
go on with the reference's values. Rounding then can neither choose another side of a rectifier's kink (in float32 some
value of a step always does; it moved gradients by 1e3 floors), nor turn over the sign of a tiny gradient, which Adam makes
a whole step of.

Each step is compared in the order of execution: the batch, every line and layer of the D step, its losses, gradients (when
backward has ended, and after clearing), updates relative to their size, moments and settings of the optimizer; the same for
the G step; then what changed after it (rho), spectral u and v.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from parity import recording
from parity.census import take
from parity.compare import Deviation, Verdict
from parity.findings import Finding, Report
from parity.judge import Judge, floors_of
from parity.noise import DRAWS, M, generator, one_ulp
from parity.optimizers import checksum, watching
from parity.pair import TrainingSubject
from parity.sinks import Against, Distances, Store
from parity.source import ConstructionSites, Site
from parity.trace import Key, Recorder, Replayed, Sink
from parity.wording import say, some
from weights_convert import ConversionError, Plan

MODES = ("free", "resync")
Progress = Callable[[int, str], None]


@dataclass
class Curve:
    """One loss over the steps: of both sides, and the largest distance of a noise draw (the envelope)."""

    reference: list[float] = field(default_factory=list)
    twin: list[float] = field(default_factory=list)
    envelope: list[float] = field(default_factory=list)


@dataclass
class StepsReport:
    """What lockstep saw. `report`: findings and counts over all steps; `curves`: loss name -> Curve; `steps`: followed.

    judged_alone: the steps of a free run that left the envelope and were judged alone, with the verdict on each.
    """

    report: Report
    mode: str
    lane: str
    steps: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)
    judged_alone: dict[int, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return self.report.verdict

    @property
    def growth(self) -> float | None:
        """By what factor a rounding difference in the losses grows from step to step: least squares through the logarithm
        of the relative envelope, the mean over the losses. None with fewer than three steps to go by."""
        slopes = []
        for curve in self.curves.values():
            points = [(step, np.log(envelope / abs(loss)))
                      for step, (envelope, loss) in enumerate(zip(curve.envelope, curve.reference, strict=True))
                      if envelope > 0 and loss]
            if len(points) >= 3:
                slopes.append(np.polyfit(*zip(*points, strict=True), 1)[0])
        return float(np.exp(np.mean(slopes))) if slopes else None

    def to_json(self) -> dict:
        return {**self.report.to_json(), "mode": self.mode, "lane": self.lane, "steps": self.steps, "growth_per_step": self.growth,
                "judged_alone": self.judged_alone, "losses": {name: vars(curve) for name, curve in self.curves.items()}}


@dataclass(frozen=True)
class ReferenceStep:
    """One recorded step of the reference: its values, their floors, the losses of the noise draws, what it started from."""

    number: int
    batch: Mapping[str, np.ndarray]
    store: Store
    floors: Mapping[Key, float]
    drawn: list[dict[str, float]]
    before: Mapping[str, Any]


def follow(subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64", draws: int = DRAWS,
           floor_every: int = 1, stop_after: int = 3, recorded: Iterable[ReferenceStep] | None = None,
           progress: Progress | None = None) -> StepsReport:
    """Train both sides for `steps` steps from the same state and batches, and compare each.

    floor_every: in resync mode the noise is drawn anew at every so-manieth step (and at the first two); in between, floors
    are carried over relative to the size of their values. stop_after: give up so many steps after the first divergence.
    recorded: the steps of `record_reference` or `recorded_in` for this subject, mode and lane; the reference is let go then,
    and no step of a free run can be judged alone. Without them it runs along.
    Raises ValueError for an unknown mode, FrameworkError where the subject's device is missing, and whatever the *reference*
    raises; what the twin raises is a finding.
    """
    tell = progress or (lambda step, what: None)
    both = _Programs(subject, lane)
    result = StepsReport(Report(subject.name), mode, lane)
    both.census(result.report)
    if recorded is not None:
        both.let_go(0)
    diverged_at = None
    for step in recorded if recorded is not None else _reference_steps(both, steps, mode, draws, floor_every, tell):
        tell(step.number, "twin")
        if mode == "resync" or step.number == 1:
            try:
                both.load(1, both.for_twin(step.before))
            except (ConversionError, ValueError):
                if not result.report.diverged:
                    raise
                break  # the census has said which parameters the twin lacks or has too many
        alone = mode == "free" and recorded is None and diverged_at is None
        start = both.state(1) if alone else {}
        against = Against(step.store, step.floors, M, release=recorded is None)
        replayed = step.store.replayed() if mode == "resync" else None
        failure = both.twin_step(step.number, step.batch, against, replayed)
        found = Report(subject.name)
        Judge(subject.name, subject.pair, lane, mode, step.store, step.floors, M).judge(against, failure, found)
        if alone and failure is None and found.diverged:
            found = _judged_alone(both, step, start, draws, found, result, tell)
        result.report.add(found)
        result.steps = step.number
        _note_losses(result, step, against)
        if diverged_at is None and result.report.diverged:
            diverged_at = step.number
        if failure is not None or (diverged_at is not None and step.number >= diverged_at + stop_after):
            break
    result.report.findings.sort(key=lambda finding: (finding.key.stage != "census", finding.key.step, finding.order))
    return result


def record_reference(subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64",
                     draws: int = DRAWS) -> list[ReferenceStep]:
    """The reference's steps and floors, kept in memory, for several twins to be held against."""
    return list(_reference_steps(_Programs(subject, lane), steps, mode, draws, 1, lambda step, what: None))


def record_to(folder: Path, subject: TrainingSubject, *, steps: int, mode: str = "free", lane: str = "float64",
              draws: int = DRAWS, floor_every: int = 1, progress: Progress | None = None) -> None:
    """The reference's steps into a folder (see `recording`); the twin is built for its names only, and let go.

    Raises RecordingError where the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise recording.RecordingError(f"{folder}: expected an empty folder, found files in it; choose another")
    both = _Programs(subject, lane)
    both.let_go(1)
    index = {"format": recording.FORMAT, "name": subject.name, "lane": lane, "mode": mode, "seed": subject.seed, "steps": 0,
             "weights": _fingerprint(subject), "versions": {both.frameworks[0].name: both.frameworks[0].version}}
    recording.write_json(folder / "index.json", index)
    written: list[recording.StepWriter] = []

    def writer(number: int) -> recording.StepWriter:
        written.append(recording.StepWriter(folder / f"step-{number:04}.safetensors"))
        return written[-1]

    try:
        for step in _reference_steps(both, steps, mode, draws, floor_every, progress or (lambda step, what: None), writer):
            batch = {name: next(key for key in step.store.events if key.stage == "data" and key.variable == name)
                     for name in step.batch}
            if mode == "resync" or step.number == 1:
                recording.write_state(folder / f"start-{step.number:04}.safetensors", step.before)
            recording.write_step(folder, step.number, step.store, step.floors, step.drawn, batch)
            recording.write_json(folder / "index.json", {**index, "steps": step.number})
    except BaseException:
        if written:
            written[-1].discard()
        raise


def recorded_in(folder: Path, subject: TrainingSubject) -> tuple[dict[str, Any], Iterator[ReferenceStep]]:
    """(index, its steps one by one) of a folder that `record_to` wrote. Raises RecordingError where it is of another subject."""
    index = recording.read_json(folder / "index.json")
    if index.get("format") != recording.FORMAT or index.get("name") != subject.name:
        raise recording.RecordingError(f"{folder}: expected a recording of {subject.name}, format {recording.FORMAT}, found "
                                       f"{index.get('name')}, format {index.get('format')}")

    if index["weights"] != _fingerprint(subject):
        raise recording.RecordingError(f"{folder}: it was recorded from other weights than these; give the same sizes, seed or "
                                       f"checkpoint")

    def read() -> Iterator[ReferenceStep]:
        before: dict[str, Any] = {}
        for number in range(1, index["steps"] + 1):
            store = recording.StepReader(folder, number)
            if number == 1 or index["mode"] == "resync":
                before = recording.read_state(folder / f"start-{number:04}.safetensors")
            yield ReferenceStep(number, store.batch, store, store.floors, store.drawn, before)

    return index, read()


def _fingerprint(subject: TrainingSubject) -> str:
    """Of the weights that both sides start from."""
    return recording.fingerprint(_cast({"networks": subject.state["networks"]}, "float32"))


def _reference_steps(both: _Programs, steps: int, mode: str, draws: int, floor_every: int, tell: Progress,
                     new_store: Callable[[int], Store] = lambda number: Store()) -> Iterator[ReferenceStep]:
    """In free mode the draws go their own ways from one ulp beside the start; in resync mode each step draws anew."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {MODES}: {mode!r}")
    seed, dtype = both.subject.seed, np.dtype(both.lane).type
    state, carried = both.start, {}
    noisy = [_moved(state, seed, draw) for draw in range(draws)]
    for step in range(1, steps + 1):
        batch = both.batch(step)
        tell(step, "reference")
        store = new_store(step)
        both.load(0, state)
        both.step(0, step, batch, store, measure=True)
        store.close()
        before, state = state, both.state(0)
        if mode == "free":
            noise, drawn = Distances(store), []
            for draw in range(draws):
                tell(step, f"noise draw {draw + 1}")
                both.load(0, noisy[draw])
                drawn.append(both.step(0, step, batch, noise, rounding=_rounding_seed(step, draw)))
                noisy[draw] = both.state(0)
        else:
            fresh = step <= 2 or step % floor_every == 0
            noise, drawn = _replayed_draws(both, step, batch, store, before, draws if fresh else 0, tell)
        floors = floors_of(store, noise, dtype)
        if mode == "resync":
            _carry_over(store, noise, floors, carried)
        yield ReferenceStep(step, batch, store, floors, drawn, before)


def _rounding_seed(step: int, draw: int) -> int:
    return 1 + draw + 1000 * step


def _replayed_draws(both: _Programs, step: int, batch: Mapping[str, np.ndarray], store: Store, before: Mapping[str, Any],
                    draws: int, tell: Progress) -> tuple[Distances, list[dict[str, float]]]:
    """The noise of one step alone, and the losses of each draw: from one ulp beside its start, with the stored values to go on."""
    noise, drawn, seed = Distances(store), [], both.subject.seed
    for draw in range(draws):
        tell(step, f"noise draw {draw + 1}")
        both.load(0, _moved(before, seed, step, draw))
        replayed = store.replayed(generator("replay", seed, step, draw))
        drawn.append(both.step(0, step, batch, noise, rounding=_rounding_seed(step, draw), replayed=replayed))
    return noise, drawn


def _judged_alone(both: _Programs, step: ReferenceStep, start: Mapping[str, Any], draws: int, found: Report,
                  result: StepsReport, tell: Progress) -> Report:
    """What to make of a step of a free run that left the envelope.

    The reference makes that step from the state that the twin started it from. If the two are the same then, the twin is where
    rounding and chaos have brought it; otherwise the findings of that comparison stand, in which no older difference is mixed.
    """
    subject, number, store = both.subject, step.number, Store()
    try:
        before = carry_back(start, both.plans)
    except (ConversionError, KeyError):  # the twin has other parameters than the reference
        return found
    if _names(before) != _names(step.before):  # nor can a step be made from half a state
        return found
    after = both.state(1)
    tell(number, "reference, from the twin's state")
    both.load(0, before)
    both.step(0, number, step.batch, store, measure=True)
    noise, _ = _replayed_draws(both, number, step.batch, store, before, draws, tell)
    floors = floors_of(store, noise, np.dtype(both.lane).type)
    tell(number, "twin, judged alone")
    both.load(1, start)
    against = Against(store, floors, M)
    failure = both.twin_step(number, step.batch, against, store.replayed())
    alone = Report(subject.name)
    Judge(subject.name, subject.pair, both.lane, "free", store, floors, M).judge(against, failure, alone)
    both.load(1, after)
    result.judged_alone[number] = alone.verdict
    if alone.diverged:
        return alone
    found.forgive(f"rounding, grown by chaos: step {number} alone, from the twin's state, is the same")
    return found


def _names(state: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """What a state knows of the optimizers: the parameters with moments, and the learning rates."""
    return ({(network, name) for network, held in state.get("moments", {}).items() for name in held}
            | {("lr", name) for name in state.get("lr", {})})


def _carry_over(store: Store, noise: Distances, floors: dict[Key, float], carried: dict[Key, float]) -> None:
    """Floors of steps without draws: the largest seen so far, relative to the size of their values."""
    for key, distance in noise.largest.items():
        scale, alike = store.events[key].scale, key._replace(step=0)
        carried[alike] = max(carried.get(alike, 0.0), distance / scale if scale else 0.0)
    for key, event in store.events.items():
        floors[key] = max(floors[key], carried.get(key._replace(step=0), 0.0) * event.scale)


def _note_losses(result: StepsReport, step: ReferenceStep, against: Against) -> None:
    for name, value in step.store.losses.items():
        curve = result.curves.setdefault(name, Curve())
        curve.reference.append(value)
        curve.twin.append(against.losses.get(name, float("nan")))
        curve.envelope.append(max((abs(losses[name] - value) for losses in step.drawn), default=0.0))


class _Programs:
    """Both training programs of a subject, built once."""

    def __init__(self, subject: TrainingSubject, lane: str) -> None:
        self.subject, self.lane = subject, lane
        pair = subject.pair
        self.frameworks = (pair.reference_framework, pair.twin_framework)
        self.sources = (pair.reference_source, pair.twin_source)
        self.sites = (ConstructionSites(), ConstructionSites())
        for framework in self.frameworks:
            framework.check_device(subject.device)
        programs = []
        for framework, source, sites, build in zip(self.frameworks, self.sources, self.sites,
                                                   (subject.reference, subject.twin), strict=True):
            with (sites.watch(framework.module_class, source), sites.watch(framework.optimizer_class, source),
                  framework.seeded(subject.seed)):
                programs.append(build(lane))
        self.programs = tuple(programs)
        self.optimizers = tuple({name: value for name, value in vars(program).items() if framework.is_optimizer(value)}
                                for framework, program in zip(self.frameworks, self.programs, strict=True))
        self._census = {name: take(network, self.programs[1].networks[name], self.frameworks, self.sites, pair.layouts,
                                   fresh=subject.own_start)
                        for name, network in self.programs[0].networks.items()}
        self.plans: dict[str, Plan] = {name: census.plan for name, census in self._census.items()}
        self._names = {f"{network}.{entry.target}": (f"{network}.{entry.source}", entry)
                       for network, plan in self.plans.items() for entry in plan.entries.values() if entry.target}
        self.start = _cast({"moments": {}, **self.programs[0].state(), **subject.state}, lane)

    def let_go(self, side: int) -> None:
        """Free one side's memory; its names and layouts are known."""
        self.programs = tuple(None if number == side else program for number, program in enumerate(self.programs))
        self.optimizers = tuple({} if number == side else held for number, held in enumerate(self.optimizers))
        gc.collect()

    def parameters(self, side: int) -> dict[str, Any]:
        """Full name -> parameter, of all networks of a side."""
        return {f"{network}.{name}": parameter for network, model in self.programs[side].networks.items()
                for name, parameter in self.frameworks[side].parameters(model).items()}

    def batch(self, step: int, side: int = 0) -> dict[str, np.ndarray]:
        load = self.subject.twin_batch if side and self.subject.twin_batch else self.subject.batch
        return {name: array.astype(self.lane) for name, array in load(step).items()}

    def state(self, side: int) -> dict[str, Any]:
        """All that a side's next step depends on, the gradients that it has not cleared included; in its own layouts."""
        framework = self.frameworks[side]
        gradients = {name: framework.gradient(parameter) for name, parameter in self.parameters(side).items()}
        return {**self.programs[side].state(), "gradients": {name: framework.array(gradient, copy=True)
                                                             for name, gradient in gradients.items() if gradient is not None}}

    def load(self, side: int, state: Mapping[str, Any]) -> None:
        """Give a side this state, in its own names and layouts."""
        self.programs[side].load_state(state)
        framework = self.frameworks[side]
        for name, parameter in self.parameters(side).items():
            gradient = state.get("gradients", {}).get(name)
            framework.clear_gradient(parameter)
            if gradient is not None:
                framework.set_gradient(parameter, gradient)

    def for_twin(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """A state of the reference's in the twin's names and layouts. What only the twin has, or in another shape, stays."""
        result = carry(state, self.plans)
        if any(census.findings for census in self._census.values()):
            for network, entries in self.programs[1].state()["networks"].items():
                result["networks"][network] = {**entries, **result["networks"][network]}
        return result

    def step(self, side: int, number: int, batch: Mapping[str, np.ndarray], sink: Sink, *, measure: bool = False,
             rounding: int | None = None, replayed: Replayed | None = None) -> dict[str, float]:
        """One recorded step; returns the losses by name, and leaves them with the sink."""
        framework, program, source = self.frameworks[side], self.programs[side], self.sources[side]
        recorder = Recorder(framework, source, sink, view=self._view if side else None, constructions=self.sites[side],
                            measure=measure, phases=self.subject.phases, step=number, replay=replayed, splice=True,
                            back=self._back if side else None, device=self.subject.device)
        for name, network in program.networks.items():
            recorder.watch(network, name)
        parameters = self.parameters(side)
        device = self.subject.device
        with (framework.exact(device), watching(framework, recorder, source, self.optimizers[side], parameters) as updated,
              recorder.recording(), self._rounding(side, rounding)):
            if self.subject.twin_batch is not None and rounding is None:
                batch = self.batch(number, side)  # once more, now that it is being followed
            tensors = [framework.tensor(array, device=device) for array in batch.values()]
            for name, tensor in zip(batch, tensors, strict=True):
                recorder.record("data", name, tensor)
            losses = program.step(*tensors, number)
            recorder.snapshot_buffers()
            for name, parameter in parameters.items():
                array = framework.array(parameter, copy=sink.keeps)
                if name in updated and updated[name] != checksum(array):
                    recorder.emit_array("state", name, array, scale=float(np.abs(array).max()))
        numbers = {name: float(framework.array(loss, copy=True)) for name, loss in losses.items()}
        sink.losses = numbers
        return numbers

    @contextmanager
    def _rounding(self, side: int, seed: int | None) -> Iterator[None]:
        """A noise draw, if there is a seed: operations and settings of the optimizers moved by their rounding."""
        if seed is None:
            yield
            return
        framework = self.frameworks[side]
        with ExitStack() as stack:
            for name, optimizer in self.optimizers[side].items():
                stack.enter_context(framework.moved_betas(optimizer, self.lane, generator("betas", name, seed)))
            stack.enter_context(framework.rounding(seed))
            yield

    def twin_step(self, number: int, batch: Mapping[str, np.ndarray], against: Against,
                  replayed: Replayed | None) -> Exception | None:
        try:
            self.step(1, number, batch, against, replayed=replayed)
        except Exception as error:  # the user's program: anything may come
            return error
        return None

    def _view(self, name: str, array: np.ndarray | None) -> tuple[str, np.ndarray | None]:
        """A twin's entry as the reference knows it. Scalars kept per parameter have no layout."""
        if name not in self._names:
            return name, array
        source, entry = self._names[name]
        return source, array if array is None or array.ndim == 0 else np.ascontiguousarray(entry.to_torch(array))

    def _back(self, name: str, array: np.ndarray) -> np.ndarray:
        """The reference's value of a twin's entry, in the twin's layout."""
        return np.ascontiguousarray(self._names[name][1].to_paddle(array)) if name in self._names else array

    def census(self, report: Report) -> None:
        """Parameters and buffers of every network, and which optimizer holds which of them, with which settings."""
        for network, census in self._census.items():
            report.counts[Verdict.SAME] += census.compared - len(census.findings)
            for found in census.findings:
                self._census_finding(report, f"{network}.{found.name}", found.message, found.reference, found.twin)
        sides = [self._held(side) for side in (0, 1)]
        for name in sorted(sides[0].keys() | sides[1].keys()):
            sites = [self.sites[side].of(self.optimizers[side].get(name)) for side in (0, 1)]
            if name not in sides[0] or name not in sides[1]:
                only = say("an optimizer in the reference only") if name in sides[0] else say("an optimizer in the twin only")
                self._census_finding(report, f"{name}.", only, *sites)
                continue
            settings = [framework.optimizer_settings(held[name])
                        for framework, held in zip(self.frameworks, self.optimizers, strict=True)]
            for setting in sorted(settings[0].keys() | settings[1].keys()):
                left, right = (values.get(setting) for values in settings)
                report.counts[Verdict.SAME] += left == right
                if left != right:
                    self._census_finding(report, f"{name}.{setting}", say("{left} in the reference, {right} in the twin",
                                                                              left=left, right=right), *sites)
            expected, found = sides[0][name], sides[1][name]
            report.counts[Verdict.SAME] += len(expected & found)
            for side, group in ((say("the reference"), expected - found), (say("the twin"), found - expected)):
                if group:
                    self._census_finding(report, f"{name}.parameters", say(
                        "{count} of {total} parameters held by the optimizer in {side} only: {names}", count=len(group),
                        total=len(expected), side=side, names=some(sorted(group))), *sites)

    def _held(self, side: int) -> dict[str, set[str]]:
        """Optimizer -> the reference's names of what it holds; a tensor that is no parameter of a network counts as foreign."""
        framework = self.frameworks[side]
        names = {id(parameter): name for name, parameter in self.parameters(side).items()}
        # Paddle lists a batch norm's running statistics among its parameters, frozen: an optimizer holds and skips them.
        skipped = {id(value) for model in self.programs[side].networks.values() for value in framework.buffers(model).values()
                   if framework.is_parameter(value) and not framework.requires_grad(value)}
        held: dict[str, set[str]] = {}
        for optimizer_name, optimizer in self.optimizers[side].items():
            held[optimizer_name] = set()
            for number, parameter in enumerate(framework.optimizer_parameters(optimizer)):
                if id(parameter) in skipped:
                    continue
                name = names.get(id(parameter), f"foreign tensor {number}")
                held[optimizer_name].add(self._names[name][0] if side and name in self._names else name)
        return held

    def _census_finding(self, report: Report, name: str, message: str, reference: Site | None, twin: Site | None) -> None:
        owner, _, variable = name.rpartition(".")
        key = Key("census", 0, None, owner, 0, "", 0, variable, 0)
        report.counts[Verdict.DIVERGED] += 1
        report.findings.append(Finding(report.subject, self.lane, "free", key, Verdict.DIVERGED, 0,
                                       Deviation(float("inf"), trouble=message), reference=reference, twin=twin))


def carry(state: Mapping[str, Any], plans: Mapping[str, Plan]) -> dict[str, Any]:
    """A training state in the reference's names and layouts as one in the twin's, as far as the plans go."""
    networks = {network: plans[network].to_paddle({name: value for name, value in values.items() if name in plans[network].entries})
                for network, values in state["networks"].items()}
    ways = {network: {entry.source: (entry.target, entry.to_paddle) for entry in plan.entries.values()}
            for network, plan in plans.items()}
    return _carried(state, networks, ways)


def carry_back(state: Mapping[str, Any], plans: Mapping[str, Plan]) -> dict[str, Any]:
    """The inverse of `carry`. Raises StateError where the twin's networks are not those of the plans."""
    networks = {network: plans[network].to_torch(values) for network, values in state["networks"].items()}
    ways = {network: {entry.target: (entry.source, entry.to_torch) for entry in plan.entries.values() if entry.target}
            for network, plan in plans.items()}
    return _carried(state, networks, ways)


def _carried(state: Mapping[str, Any], networks: dict[str, Any], ways: Mapping[str, Mapping[str, tuple]]) -> dict[str, Any]:
    """ways: network -> entry -> (its name on the other side, array -> the array in the other layout)."""
    def other(network: str, name: str, value: Any) -> Any:
        return np.ascontiguousarray(ways[network][name][1](value)) if isinstance(value, np.ndarray) else value

    moments = {network: {ways[network][name][0]: {what: other(network, name, value) for what, value in held.items()}
                         for name, held in parameters.items() if name in ways[network]}
               for network, parameters in state.get("moments", {}).items()}
    gradients = {}
    for full_name, gradient in state.get("gradients", {}).items():
        network, _, name = full_name.partition(".")
        if name not in ways[network]:
            continue
        gradients[f"{network}.{ways[network][name][0]}"] = other(network, name, gradient)
    return {**state, "networks": networks, "moments": moments, "gradients": gradients}


def _map_arrays(value: Any, change: Callable[[str, np.ndarray], np.ndarray], path: str = "") -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return change(path, value)
    if isinstance(value, Mapping):
        return {key: _map_arrays(item, change, f"{path}/{key}") for key, item in value.items()}
    return value


def _cast(state: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    return _map_arrays(state, lambda path, array: array.astype(dtype))


def _moved(state: Mapping[str, Any], *names: object) -> dict[str, Any]:
    """The state with every weight, buffer and moment moved by one ulp."""
    return _map_arrays(state, lambda path, array: one_ulp(array, generator("ulp", *names, path)))
