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

import functools
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from parity.declare.pair import TrainingSubject
from parity.differences.difference import Difference
from parity.differences.explaining import acting_in, explained, imitating, with_verdict
from parity.files import InputError
from parity.messages import Message, say, some
from parity.numbers.arrays import Deviation, Verdict
from parity.numbers.noise import DRAWS, M, generator, one_ulp
from parity.pairing.census import Census, take
from parity.recordings import stored_steps as recording
from parity.trace.events import Key, Replayed, Sink
from parity.trace.optimizers import checksum, watching
from parity.trace.recorder import Recorder
from parity.trace.side import Run, Side, unchanged
from parity.trace.source import ConstructionSites, Site
from parity.verdict.findings import Finding, Report
from parity.verdict.judge import Judge, floors_of
from parity.verdict.sinks import Against, Distances, Store
from weights_convert import ConversionError, Entry, Plan

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
           differences: Sequence[Difference] = (), progress: Progress | None = None) -> StepsReport:
    """Train both sides for `steps` steps from the same state and batches, and compare each.

    floor_every: in resync mode the noise is drawn anew at every so-manieth step (and at the first two); in between, floors
    are carried over relative to the size of their values. stop_after: give up so many steps after the first divergence.
    recorded: the steps of `record_reference` or `recorded_in` for this subject, mode and lane; the reference is let go then,
    and no step of a free run can be judged alone. Without them it runs along. differences: of the frameworks
    (`parity.differences.ALL`); a step that diverges is judged alone with the reference doing what Paddle does, and what is gone
    then is `explained`. Without the reference none is asked for.
    Raises ValueError for an unknown mode, FrameworkError where the subject's device is missing, and whatever the *reference*
    raises; what the twin raises is a finding.
    """
    tell = progress or (lambda step, what: None)
    both = _Programs(subject, lane)
    result = StepsReport(Report(subject.name), mode, lane)
    both.census(result.report)
    result.report.remarks += both.remarks()
    if recorded is not None:
        both.let_go(0)
    diverged_at = None
    asked = _Asked(both, draws, mode, result, tell, tuple(differences))
    for step in recorded if recorded is not None else _reference_steps(both, steps, mode, draws, floor_every, tell):
        tell(step.number, "twin")
        if mode == "resync" or step.number == 1:
            try:
                both.load(1, both.for_twin(step.before))
            except (ConversionError, ValueError, KeyError):
                if not result.report.diverged:
                    raise
                break  # the census has said which parameters the twin lacks or has too many
        asking = recorded is None and diverged_at is None
        start = {} if not asking else both.state(1) if mode == "free" else both.private(1)
        against = Against(step.store, step.floors, M, release=recorded is None)
        replayed = step.store.replayed() if mode == "resync" else None
        failure = both.twin_step(step.number, step.batch, against, replayed)
        found = Report(subject.name)
        Judge(subject.name, subject.pair, lane, mode, step.store, step.floors, M).judge(against, failure, found)
        if asking and failure is None and found.diverged:
            found = asked.about(step, start, found)
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
                shared = {key: value for key, value in step.before.items() if key != "own"}
                recording.write_state(folder / f"start-{step.number:04}.safetensors", shared)
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


class _Asked:
    """What to make of a step that diverged: it is made alone, as often as there are questions.

    Is it rounding, grown by chaos? In a free run the reference makes that step from the state that the twin started it from. If
    the two are the same then, the twin is where rounding and chaos have brought it. Is it a known difference of the frameworks?
    The reference makes the step while torch imitates Paddle. Otherwise the findings of the step alone stand, in which no older
    difference is mixed.
    """

    def __init__(self, both: _Programs, draws: int, mode: str, result: StepsReport, tell: Progress,
                 differences: tuple[Difference, ...]) -> None:
        self._both, self._draws, self._mode, self._result, self._tell = both, draws, mode, result, tell
        self._differences = differences
        self._known: list[Difference] = []  # those that have explained an earlier step

    def about(self, step: ReferenceStep, start: Mapping[str, Any], found: Report) -> Report:
        """The report to go by. start: what the twin started the step from; in resync mode what it alone knew of it."""
        both = self._both
        free = self._mode == "free"
        if not free and not self._differences:
            return found
        try:
            before = joined(carry_back(start, both.plans), both.private_of(step.before)) if free else step.before
            start = start if free else joined(both.for_twin(step.before), start)
        except (ConversionError, KeyError):  # the twin has other parameters than the reference
            return found
        if _names(before) != _names(step.before):  # nor can a step be made from half a state
            return found
        after = both.state(1) if free else both.private(1)
        alone = _Alone(both, step.number, step.batch, before, start, self._draws, self._mode, self._tell)
        report = self._judged(step.number, alone, found)
        both.load(1, after if free else {**start, **after})
        if free:
            self._result.judged_alone[step.number] = report.verdict
        return report

    def _judged(self, number: int, alone: _Alone, found: Report) -> Report:
        if self._known:
            with imitating(self._known):
                report = alone.compared()
            if not report.diverged:
                return with_verdict(found, Verdict.EXPLAINED, self._cause())
        report = found
        if self._mode == "free":
            report = alone.compared()
            if not report.diverged:
                left = f"what {self._cause()} has left" if self._known else "rounding, grown by chaos"
                found.forgive(f"{left}: step {number} alone, from the twin's state, is the same")
                return found
        acting = acting_in(alone.reference, self._differences) if self._differences else []
        report = explained(report, alone.compared, acting)
        if not report.diverged:
            self._known += [difference for difference in acting if difference not in self._known
                            and any(difference.title in (finding.cause or "") for finding in report.findings)]
        return report

    def _cause(self) -> str:
        return "a difference of the frameworks: " + " and ".join(f"{one.name} ({one.title})" for one in self._known)


class _Alone:
    """One step of both sides from one state, in a replay."""

    def __init__(self, both: _Programs, number: int, batch: Mapping[str, np.ndarray], before: Mapping[str, Any],
                 start: Mapping[str, Any], draws: int, mode: str, tell: Progress) -> None:
        self._both, self._number, self._batch, self._before, self._start = both, number, batch, before, start
        self._draws, self._mode, self._tell = draws, mode, tell
        self._floors: dict[Key, float] | None = None

    def reference(self) -> Store:
        """Its step."""
        store = Store()
        self._tell(self._number, "reference, from the twin's state")
        self._both.load(0, self._before)
        self._both.step(0, self._number, self._batch, store, measure=True)
        return store

    def compared(self) -> Report:
        """Both sides' step, as torch is now. What rounding does to it is measured once."""
        both, subject, dtype = self._both, self._both.subject, np.dtype(self._both.lane).type
        store = self.reference()
        draws = self._draws if self._floors is None else 0
        noise, _ = _replayed_draws(both, self._number, self._batch, store, self._before, draws, self._tell)
        floors = floors_of(store, noise, dtype)
        self._floors = self._floors or floors
        floors = {key: max(floor, self._floors.get(key, 0.0)) for key, floor in floors.items()}
        self._tell(self._number, "twin, judged alone")
        both.load(1, self._start)
        against = Against(store, floors, M)
        failure = both.twin_step(self._number, self._batch, against, store.replayed())
        report = Report(subject.name)
        Judge(subject.name, subject.pair, both.lane, self._mode, store, floors, M).judge(against, failure, report)
        return report


def joined(state: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    """A state that was carried over, and what the side itself knew. Of gradients, those are taken over that neither side has
    cleared; where only one has, it does so at another place."""
    if not private:
        return dict(state)
    other = state.get("gradients", {})
    gradients = {name: other[name] if name in other and other[name].any() and own.any() else own
                 for name, own in private["gradients"].items()}
    return {**state, **private, "gradients": gradients}


def _names(state: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """The networks of a state, and what it knows of the optimizers: the parameters with moments, and the learning rates."""
    return ({("network", network) for network in state["networks"]} | {("lr", name) for name in state.get("lr", {})}
            | {(network, name) for network, held in state.get("moments", {}).items() for name in held})


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
        self.optimizers = tuple(
            getattr(program, "optimizers", None) or {name: value for name, value in vars(program).items()
                                                           if framework.is_optimizer(value)}
            for framework, program in zip(self.frameworks, self.programs, strict=True))
        self._census = self._taken()
        self.plans: dict[str, Plan] = {name: census.plan for name, census in self._census.items()}
        self._names = {f"{network}.{entry.target}": (f"{network}.{entry.source}", entry)
                       for network, plan in self.plans.items() for entry in plan.entries.values() if entry.target}
        self._dropped = {f"{network}.{entry.source}" for network, plan in self.plans.items() for entry in plan.entries.values()
                         if entry.target is None}
        self.start = _cast({"moments": {}, **self.programs[0].state(), **subject.state}, lane)
        self._losses: tuple[str, ...] = ()  # names of the reference's

    def _taken(self) -> dict[str, Census]:
        """The census of each network that both sides have."""
        pair, found = self.subject.pair, {}
        for name, network in self.programs[0].networks.items():
            if name in self.programs[1].networks:
                names = None if pair.names is None else {one.removeprefix(f"{name}."): other for one, other in pair.names.items()
                                                         if one.startswith(f"{name}.")}
                try:
                    found[name] = take(network, self.programs[1].networks[name], self.frameworks, self.sites, pair.layouts,
                                       fresh=self.subject.own_start, names=names)
                except NameError as error:
                    raise InputError(f"{self.subject.name}, names, {name}: {error}") from error
        return found

    def remarks(self) -> Iterator[str]:
        """What was guessed in pairing the networks, and what cannot be the same."""
        for name, census in self._census.items():
            yield from (say("{network}: {guess}", network=name, guess=guess) for guess in census.guesses)
        for side, framework, program in zip((say("the reference"), say("the twin")), self.frameworks, self.programs, strict=True):
            random = [f"{name}.{path}" for name, model in program.networks.items() for path, module in framework.modules(model)
                      if type(module).__name__.startswith("Dropout") and module.training and getattr(module, "p", 0)]
            if random:
                yield say("{side} has dropout ({names}): what is dropped is drawn by each framework in its own way, so the two "
                          "differ from there on; compare with a rate of 0", side=side, names=some(random))

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
        return {name: array.astype(self.lane) if array.dtype.kind == "f" else array for name, array in load(step).items()}

    def state(self, side: int) -> dict[str, Any]:
        """All that a side's next step depends on, the gradients that it has not cleared included; in its own layouts."""
        return {**self.programs[side].state(), "gradients": self._gradients(side)}

    def private(self, side: int) -> dict[str, Any]:
        """What a side does not take over from the other: where a user's program stands in its schedules. And gradients, where
        the two may clear them at different places."""
        program = self.programs[side]
        return {"own": program.own(), "gradients": self._gradients(side)} if hasattr(program, "own") else {}

    def private_of(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """That part of a state."""
        return {"own": state["own"], "gradients": state.get("gradients", {})} if "own" in state else {}

    def _gradients(self, side: int) -> dict[str, np.ndarray]:
        framework = self.frameworks[side]
        gradients = {name: framework.gradient(parameter) for name, parameter in self.parameters(side).items()}
        return {name: framework.array(gradient, copy=True) for name, gradient in gradients.items() if gradient is not None}

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
        result = joined(carry(state, self.plans), self.private(1))
        if any(census.findings for census in self._census.values()) or self._census.keys() != self.programs[1].networks.keys():
            for network, entries in self.programs[1].state()["networks"].items():
                result["networks"][network] = {**entries, **result["networks"].get(network, {})}
        return result

    def step(self, side: int, number: int, batch: Mapping[str, np.ndarray], sink: Sink, *, measure: bool = False,
             rounding: int | None = None, replayed: Replayed | None = None) -> dict[str, float]:
        """One recorded step; returns the losses by name, and leaves them with the sink."""
        framework, program, source = self.frameworks[side], self.programs[side], self.sources[side]
        line_for_line = self.subject.pair.names is None
        parameters = self.parameters(side)
        own = Side(framework, source, self.sites[side], paths=None if line_for_line else {}, phases=self.subject.phases,
                   view=self._view(side), back=functools.partial(self._back, parameters) if side else unchanged)
        recorder = Recorder(own, sink, Run(measure=measure, step=number, replay=replayed, splice=True, device=self.subject.device))
        for name, network in program.networks.items():
            recorder.watch(network, name, self._paths(side, name))
        device = self.subject.device
        with (framework.exact(device),
              watching(framework, recorder, source, self.optimizers[side], parameters, line_for_line=line_for_line) as updated,
              recorder.recording(), self._rounding(side, rounding)):
            if self.subject.twin_batch is not None and rounding is None:
                batch = self.batch(number, side)  # once more, now that it is being followed
            tensors = [framework.tensor(array, device=device) for array in batch.values()]
            for name, tensor in zip(batch, tensors, strict=True):
                recorder.record("data", name, tensor)
            losses = self._named(side, program.step(*tensors, number))
            for name, loss in {} if line_for_line else losses.items():  # else the line that binds it has shown it
                value = framework.array(loss, copy=True).reshape(())
                recorder.emit_array("losses", name, value, scale=float(abs(value)), entry=False)
            recorder.snapshot_buffers()
            for name, parameter in parameters.items():
                array = framework.array(parameter, copy=sink.keeps)
                if name in updated and updated[name] != checksum(array):
                    recorder.emit_array("state", name, array, scale=float(np.abs(array).max()))
        numbers = {name: framework.array(loss, copy=True).item() for name, loss in losses.items()}
        sink.losses = numbers
        return numbers

    def _named(self, side: int, losses: dict[str, Any]) -> dict[str, Any]:
        """As many losses under other names are the reference's, in its order, where the two are not written alike."""
        if not side:
            self._losses = tuple(losses)
        elif self.subject.pair.names is not None and losses.keys() != set(self._losses) and len(losses) == len(self._losses):
            return dict(zip(self._losses, losses.values(), strict=True))
        return losses

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

    def _paths(self, side: int, network: str) -> Mapping[str, str] | None:
        """Own module path -> the reference's, of a network whose modules may have other names."""
        if self.subject.pair.names is None:
            return None
        modules = self._census[network].modules if network in self._census else {}
        return modules if side else {path: path for path in modules.values()}

    def _view(self, side: int) -> Callable[[str, np.ndarray | None], tuple[str, np.ndarray | None] | None]:
        """An entry of a side as the reference knows it, for one run; None for what the twin has none of by design, and for the
        parts of a tensor that is split, until the last of them. Scalars kept per parameter have no layout."""
        if not side:
            return lambda name, array: None if name in self._dropped else (name, array)
        parts: dict[tuple[str, int], Parts] = {}

        def view(name: str, array: np.ndarray | None) -> tuple[str, np.ndarray | None] | None:
            if name not in self._names:
                return name, array
            source, entry = self._names[name]
            if not entry.rows:
                return source, array if array is None or array.ndim == 0 else np.ascontiguousarray(entry.to_torch(array))
            # What is emitted of each part comes in one order: the first of each with the first of the others.
            number = sum(part.has(entry) for (known, _), part in parts.items() if known == source)
            held = parts.setdefault((source, number), Parts(entry.source_shape[0]))
            held.add(entry, array)
            return (source, held.joined()) if held.whole else None

        return view

    def _back(self, parameters: Mapping[str, Any], name: str, array: np.ndarray) -> np.ndarray:
        """The reference's gradient of a twin's entry, in the twin's layout; the other parts of a split one are given theirs."""
        if name not in self._names:
            return array
        source, entry = self._names[name]
        if entry.rows:
            for other, (whole, part) in self._names.items():
                if whole == source and other != name and self.frameworks[1].gradient(parameters[other]) is not None:
                    self.frameworks[1].set_gradient(parameters[other], np.ascontiguousarray(part.to_paddle(array)))
        return np.ascontiguousarray(entry.to_paddle(array))

    def census(self, report: Report) -> None:
        """Parameters and buffers of every network, and which optimizer holds which of them, with which settings."""
        for side, other in ((0, 1), (1, 0)):
            for name in self.programs[side].networks.keys() - self.programs[other].networks.keys():
                self._census_finding(report, f"{name}.", f"a network in the {('reference', 'twin')[side]} only", *(
                    self.sites[s].of(self.programs[s].networks.get(name)) for s in (0, 1)))
        for network, census in self._census.items():
            report.counts[Verdict.SAME] += census.compared - len(census.findings)
            for found in census.findings:
                self._census_finding(report, f"{network}.{found.name}", found.message, found.reference, found.twin)
        self._census_shared(report)
        sides = [self._held(side) for side in (0, 1)]
        for name in sorted(sides[0].keys() | sides[1].keys()):
            sites = [self.sites[side].of(self.optimizers[side].get(name)) for side in (0, 1)]
            if name not in sides[0] or name not in sides[1]:
                only = say("an optimizer in the reference only") if name in sides[0] else say("an optimizer in the twin only")
                self._census_finding(report, f"{name}.", only, *sites)
                continue
            for setting, message in self._settings(name):
                report.counts[Verdict.SAME] += message is None
                if message is not None:
                    self._census_finding(report, f"{name}.{setting}", message, *sites)
            expected, found = sides[0][name], sides[1][name]
            report.counts[Verdict.SAME] += len(expected & found)
            for side, group in ((say("the reference"), expected - found), (say("the twin"), found - expected)):
                if group:
                    self._census_finding(report, f"{name}.parameters", say(
                        "{count} of {total} parameters held by the optimizer in {side} only: {names}", count=len(group),
                        total=len(expected), side=side, names=some(sorted(group))), *sites)

    def _settings(self, name: str) -> Iterator[tuple[str, Message | None]]:
        """(setting, how the two optimizers of this name differ in it, if they do); of what a parameter may have of its own,
        parameter by parameter."""
        held = [one[name] for one in self.optimizers]
        kinds = [framework.optimizer_kind(one) or type(one).__name__ for framework, one in zip(self.frameworks, held, strict=True)]
        yield "kind", None if kinds[0] == kinds[1] else _differ(*kinds)
        settings = [framework.optimizer_settings(one) for framework, one in zip(self.frameworks, held, strict=True)]
        rates = [self._rates(side, name) for side in (0, 1)]
        both = [(one, rates[0][one], rates[1][one]) for one in rates[0] if one in rates[1]]
        for setting in sorted(settings[0].keys() | settings[1].keys()):
            left, right = (values.get(setting) for values in settings)
            if setting not in _PER_PARAMETER or not both:
                yield setting, None if left == right else _differ(left, right)
                continue
            place = _PER_PARAMETER.index(setting)
            # A rate may be a product of two numbers on one side: one rounding.
            odd = [(one, ours[place], theirs[place]) for one, ours, theirs in both
                   if abs(ours[place] - theirs[place]) > np.finfo(float).eps * abs(ours[place])]
            if not odd:
                yield setting, None
            for pair in dict.fromkeys((ours, theirs) for _, ours, theirs in odd):
                names = [one for one, *numbers in odd if tuple(numbers) == pair]
                yield setting, _differ(*pair) if len(names) == len(both) else say(
                    "{left} in the reference, {right} in the twin for {count} of {total} parameters: {names}", left=pair[0],
                    right=pair[1], count=len(names), total=len(both), names=some(names))

    def _rates(self, side: int, optimizer: str) -> dict[str, tuple[float, float]]:
        """The reference's name -> (learning rate, weight decay) of the parameters that an optimizer holds."""
        framework = self.frameworks[side]
        names = {id(parameter): name for name, parameter in self.parameters(side).items()}
        found = {}
        for parameter, *rates in framework.optimizer_rates(self.optimizers[side][optimizer]):
            name = names.get(id(parameter))
            if name is not None:
                found[self._names[name][0] if side and name in self._names else name] = tuple(rates)
        return found

    def _census_shared(self, report: Report) -> None:
        """Which entries are one and the same tensor: tied weights, a network that stands twice in a program."""
        groups = [self._shared(side) for side in (0, 1)]
        for name in groups[0]:
            ours, theirs = groups[0][name], groups[1][name]
            if ours == theirs or name != min(ours | theirs):  # once for all of a group
                continue
            if ours - theirs:
                self._census_finding(report, name, say("one tensor with {names} in the reference, a tensor of its own in the twin",
                                                       names=some(sorted(ours - theirs))), None, None)
            if theirs - ours:
                self._census_finding(report, name, say("one tensor with {names} in the twin, a tensor of its own in the reference",
                                                       names=some(sorted(theirs - ours))), None, None)

    def _shared(self, side: int) -> dict[str, set[str]]:
        """The reference's name of each entry that both sides have -> the names of all entries that are this tensor."""
        framework = self.frameworks[side]
        tensors: dict[str, int] = {}
        for network, plan in self.plans.items():
            held = framework.entries(self.programs[side].networks[network])
            for entry in plan.entries.values():
                own = entry.target if side else entry.source
                if entry.target is not None and not entry.rows and own in held:
                    tensors[f"{network}.{entry.source}"] = id(held[own])
        same: dict[int, set[str]] = {}
        for name, tensor in tensors.items():
            same.setdefault(tensor, set()).add(name)
        return {name: same[tensor] for name, tensor in tensors.items()}

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


class Parts:
    """The parts of a tensor that the twin keeps in several pieces."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._held: dict[tuple[int, int], np.ndarray | None] = {}

    def add(self, entry: Entry, part: np.ndarray | None) -> None:
        """part: in the twin's layout, or None for a gradient that does not exist."""
        self._held[entry.rows] = None if part is None else part if part.ndim == 0 else np.array(entry.to_torch(part))

    def has(self, entry: Entry) -> bool:
        return entry.rows in self._held

    @property
    def whole(self) -> bool:
        return sum(stop - start for start, stop in self._held) == self._rows

    def joined(self) -> np.ndarray | None:
        """In the reference's layout; a number that each part has for itself (how many updates) is that of the first."""
        parts = [part for _, part in sorted(self._held.items(), key=lambda item: item[0])]
        if any(part is None for part in parts):
            return None
        return parts[0] if parts[0].ndim == 0 else np.concatenate(parts)


def carry(state: Mapping[str, Any], plans: Mapping[str, Plan]) -> dict[str, Any]:
    """A training state in the reference's names and layouts as one in the twin's, as far as the plans go."""
    networks = {network: plans[network].to_paddle({entry.source: values[entry.source] for entry in plans[network].entries.values()
                                                   if entry.source in values})
                for network, values in state["networks"].items() if network in plans}

    def over(network: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {entry.target: np.ascontiguousarray(entry.to_paddle(values[entry.source]))
                if isinstance(values[entry.source], np.ndarray) else values[entry.source]
                for entry in plans[network].entries.values() if entry.target and entry.source in values}

    return _carried(state, networks, over)


def carry_back(state: Mapping[str, Any], plans: Mapping[str, Plan]) -> dict[str, Any]:
    """The inverse of `carry`. Raises StateError where the twin's networks are not those of the plans."""
    networks = {network: plans[network].to_torch(values) for network, values in state["networks"].items() if network in plans}

    def back(network: str, values: Mapping[str, Any]) -> dict[str, Any]:
        found, parts = {}, {}
        for entry in plans[network].entries.values():
            value = values.get(entry.target)
            if value is None:
                continue
            if isinstance(value, np.ndarray) and entry.rows:
                held = parts.setdefault(entry.source, Parts(entry.source_shape[0]))
                held.add(entry, value)
                if not held.whole:
                    continue
                value = held.joined()
            elif isinstance(value, np.ndarray):
                value = np.ascontiguousarray(entry.to_torch(value))
            found[entry.source] = value
        return found

    return _carried(state, networks, back)


def _carried(state: Mapping[str, Any], networks: dict[str, Any], other: Callable[[str, Mapping], dict]) -> dict[str, Any]:
    """other: (network, entry -> array or number) -> the same with the other side's names and layouts."""
    moments: dict[str, dict[str, dict]] = {}
    for network, parameters in state.get("moments", {}).items():
        kinds = {what for held in parameters.values() for what in held}
        for what in kinds if network in networks else ():
            for name, value in other(network, {name: held[what] for name, held in parameters.items() if what in held}).items():
                moments.setdefault(network, {}).setdefault(name, {})[what] = value
    gradients = {}
    for network in networks:
        held = {name.removeprefix(f"{network}."): gradient for name, gradient in state.get("gradients", {}).items()
                if name.startswith(f"{network}.")}
        gradients |= {f"{network}.{name}": gradient for name, gradient in other(network, held).items()}
    shared = {key: value for key, value in state.items() if key != "own"}
    return {**shared, "networks": networks, "moments": moments, "gradients": gradients}


_PER_PARAMETER = ("lr", "weight_decay")


def _differ(reference: Any, twin: Any) -> Message:
    return say("{left} in the reference, {right} in the twin", left=reference, right=twin)


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
