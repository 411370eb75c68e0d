"""Both training programs of a subject, and how the one's names, layouts and states translate into the other's."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from parity.blame import is_users
from parity.compare.sides import Sides
from parity.declare.pair import TrainingSubject
from parity.files import InputError
from parity.frameworks.lifting import Lifted
from parity.messages import say
from parity.numbers.arrays import in_lane
from parity.numbers.noise import generator
from parity.pairing.census import Census, take
from parity.pairing.correspondence import naming
from parity.steps.state import carry, cast, joined
from parity.trace.clipping import Clipping
from parity.trace.events import Key, Replayed, Sink
from parity.trace.optimizers import learning_rates, watching
from parity.trace.randomness import Tape, python_and_numpy
from parity.trace.recorder import Recorder
from parity.trace.scaling import Scaling
from parity.trace.side import Run, View
from parity.trace.source import Site
from parity.verdict.sinks import Against

WORTH_COLLECTING = 1 << 26  # bytes of weights: to go through the heap takes a third of a second


class Programs(Sides):
    """Both training programs of a subject, built once. lifted: of those in whose runs float32 is float64."""

    def __init__(self, subject: TrainingSubject, lane: str, lifted: Lifted | None = None) -> None:
        self.subject, self.lane, self.lifted = subject, lane, lifted
        super().__init__(subject.pair)
        self._choices: Any = None  # of the reference's step that is measured
        for framework in self.frameworks:
            framework.check_device(subject.device)
        programs = []
        for side, build in enumerate((subject.reference, subject.twin)):
            framework = self.frameworks[side]
            with self.building(side, optimizers=True), framework.building(), framework.seeded(subject.seed):
                programs.append(build(lane))
        self.programs = tuple(programs)
        self.optimizers = tuple(
            getattr(program, "optimizers", None) or {name: value for name, value in vars(program).items()
                                                           if framework.is_optimizer(value)}
            for framework, program in zip(self.frameworks, self.programs, strict=True))
        self.pair_up(tuple(program.networks for program in self.programs), self._paired())
        self.start = cast({"moments": {}, **self.programs[0].state(), **subject.state}, lane)
        ours, theirs = (set(program.kept()) if hasattr(program, "kept") else set() for program in self.programs)
        self._kept_by_both = ours & theirs  # now: one side may run alone later
        self._losses: tuple[str, ...] = ()  # names of the reference's
        self._tape: tuple[int, Tape] = (0, Tape(subject.seed, 0))  # of the latest step

    def _paired(self) -> dict[str, Census]:
        """The census of each network that both sides have."""
        pair, found = self.subject.pair, {}
        both = {name: (network, self.programs[1].networks[name]) for name, network in self.programs[0].networks.items()
                if name in self.programs[1].networks}
        names = None if pair.names is None else self._said(both, pair.names)
        for name, networks in both.items():
            with naming(f"{self.subject.name}, {name}"):
                found[name] = take(*networks, self.frameworks, self.sites, pair.layouts, fresh=self.subject.own_start,
                                   names=None if names is None else names[name],
                                   makers=tuple(getattr(program, "made_by", type(program)) for program in self.programs))
        return found

    def _said(self, networks: Mapping[str, tuple[Any, Any]], names: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Network -> what the user names in it. A name may begin with that of the network, or is for each network that has it.

        Raises InputError for one that is in no network.
        """
        found: dict[str, dict[str, str]] = {network: {} for network in networks}
        for one, other in names.items():
            wanted = [network for network in networks if one.startswith(f"{network}.")]
            if wanted:
                found[wanted[0]][one.removeprefix(f"{wanted[0]}.")] = other.removeprefix(f"{wanted[0]}.")
                continue
            known = [network for network, (reference, _) in networks.items()
                     if one in dict(self.frameworks[0].modules(reference)) or one in self.frameworks[0].entries(reference)]
            if not known:
                raise InputError(f"{self.subject.name}, names: {one}: none of the networks ({', '.join(networks)}) has a module or "
                                 f"tensor of this name")
            for network in known:
                found[network][one] = other
        return found

    def remarks(self) -> Iterator[str]:
        """What was guessed in pairing the networks, and which optimizers keep to themselves what they remember."""
        for name, census in self.censuses.items():
            yield from (say("{network}: {guess}", network=name, guess=guess) for guess in census.guesses)
        for name in self.unknown:
            classes = [type(held[name]) for held in self.optimizers]
            reference, twin = (f"{one.__module__}.{one.__qualname__}" for one in classes)
            yield say("{optimizer}: {reference} and {twin} have no rule by which the one's memory would become the other's: each "
                      "side keeps its own, and what they make of the weights is compared",
                      optimizer=name, reference=reference, twin=twin)

    @property
    def unknown(self) -> list[str]:
        """Optimizers of both sides whose memory cannot be carried over, since one of the two is of no known kind."""
        return [name for name in self.optimizers[0] if name in self.optimizers[1] and any(
            framework.optimizer_kind(held[name]) is None
            for framework, held in zip(self.frameworks, self.optimizers, strict=True))]

    def let_go(self, side: int) -> None:
        """Free one side's memory; its names and layouts are known."""
        self.programs = tuple(None if number == side else program for number, program in enumerate(self.programs))
        self.optimizers = tuple({} if number == side else held for number, held in enumerate(self.optimizers))
        self.networks = tuple({} if number == side else models for number, models in enumerate(self.networks))
        if sum(array.nbytes for held in self.start["networks"].values() for array in held.values()) > WORTH_COLLECTING:
            gc.collect()

    def batch(self, step: int, side: int = 0) -> dict[str, np.ndarray]:
        load = self.subject.twin_batch if side and self.subject.twin_batch else self.subject.batch
        return {name: in_lane(array, self.lane) for name, array in load(step).items()}

    def state(self, side: int) -> dict[str, Any]:
        """All that a side's next step depends on, the gradients that it has not cleared included; in its own layouts."""
        return {**self.programs[side].state(), "gradients": self._gradients(side)}

    def private(self, side: int) -> dict[str, Any]:
        """What a side does not take over from the other: where a user's program stands in its schedules. And gradients, where
        the two may clear them at different places."""
        program = self.programs[side]
        return {"own": program.own(), "gradients": self._gradients(side)} if hasattr(program, "own") else {}

    def aliases(self) -> dict[str, dict[str, str]]:
        """Network -> name in the reference that the twin has nothing for -> the name under which the same tensor is carried: a head
        tied to the embedding, where the twin multiplies by the embedding itself."""
        found = {}
        for network, plan in self.plans.items():
            held = self.frameworks[0].entries(self.programs[0].networks[network])
            carried = plan.carried
            known_as = {id(tensor): name for name, tensor in held.items() if name in carried}
            found[network] = {name: known_as[id(tensor)] for name, tensor in held.items()
                              if name not in carried and id(tensor) in known_as}
        return found

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
        complete = self.censuses.keys() == self.programs[1].networks.keys()
        if not complete or any(census.findings or census.lone[1] for census in self.censuses.values()):
            for network, entries in self.programs[1].state()["networks"].items():
                result["networks"][network] = {**entries, **result["networks"].get(network, {})}
        return result

    def remembered(self, side: int, state: Mapping[str, Any] | None = None) -> dict[str, dict[str, np.ndarray]]:
        """Name -> access path -> values of what a side keeps beside weights now, or in a state of its own."""
        program = self.programs[side]
        if not hasattr(program, "remembered"):
            return {}
        return program.remembered(program.own() if state is None else state["own"])

    def remembering_as_twin(self, state: Mapping[str, Any], twins: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
        """A state of the reference's with what the twin keeps beside weights in a state of its own, under all names but
        those, where it is of the same shapes."""
        ours, theirs = self.remembered(0, state), self.remembered(1, twins)
        alike = {name: theirs[name] for name, held in ours.items()
                 if held and name not in others and _shapes(held) == _shapes(theirs.get(name, {}))}
        return {**state, "own": self.programs[0].remembering(state["own"], alike)} if alike else dict(state)

    def tape(self, number: int) -> Tape:
        """The random numbers of a step, which every run of it is given; those of the step before are let go."""
        if self._tape[0] != number:
            self.go_by(number, Tape(self.subject.seed, number))
        return self._tape[1]

    def go_by(self, number: int, tape: Tape) -> None:
        """Let these be the random numbers of a step."""
        self._tape = number, tape

    def step(self, side: int, number: int, batch: Mapping[str, np.ndarray], sink: Sink, *, measure: bool = False,
             rounding: int | None = None, replayed: Replayed | None = None,
             righted: frozenset[Key] = frozenset(), bare: bool = False) -> dict[str, float]:
        """One recorded step; returns the losses by name, and leaves them with the sink. righted: as in `Run`. bare: neither lines
        nor gradients of what layers return."""
        framework, program, source = self.frameworks[side], self.programs[side], self.sources[side]
        line_for_line = self.subject.pair.names is None
        parameters = self.parameters(side)
        optimized = {id(one) for optimizer in self.optimizers[side].values() for one in framework.optimizer_parameters(optimizer)}
        own = self.side(side, paths=None if line_for_line else {}, phases=self.subject.phases)
        recorder = Recorder(own, sink, Run(measure=measure, step=number, replay=replayed, splice=True, device=self.subject.device,
                                           random=self.tape(number).hand(side),
                                           results=self.results.of(side), lifted=self.lifted, righted=righted, lines=not bare,
                                           gradients=not bare))
        for name, network in program.networks.items():
            recorder.watch(network, name, self.paths(side, name))
        device = self.subject.device
        names = {id(one): self.reference_name(side, name) for name, one in parameters.items()}
        clipping = Clipping(framework, source, self.sites[side], names)
        scaling = Scaling(framework, source, getattr(program, "scalers", {}))
        with (framework.exact(device), scaling.watching(), python_and_numpy(self.subject.seed + number),
              watching(framework, recorder, source, self.optimizers[side], parameters, line_for_line=line_for_line,
                       begins=clipping.settle) as written, clipping.watching(),
              self._choosing(side, measure and replayed is None),
              self._rounding(side, rounding), recorder.recording()):  # rounding draws, too, and not from the tape
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
                if name in own.kept:
                    continue
                array = framework.array(parameter, copy=sink.keeps)
                # Weights that no optimizer has are averages of others, or stand still.
                if written.by_others(name, array) or id(parameter) not in optimized:
                    recorder.emit_array("state", name, array, scale=_largest(array))
            for name, entry, array in self._averages(side, own.view, copy=sink.keeps):
                recorder.emit_array("state", f"{name}.{entry}", array, scale=_largest(array), entry=False)
            for name, site, tensor in self._kept_tensors(side):
                array = framework.array(tensor, copy=sink.keeps)
                recorder.emit_array("state", name, array, site=site, scale=_largest(array), entry=False)
            for name, optimizer in self.optimizers[side].items():
                rates = learning_rates(framework, optimizer)
                recorder.emit_array("state", f"{name}.lr", rates, scale=_largest(rates), entry=False)
            scaling.emit(recorder)
        self.unlowered |= recorder.asks_for_half and device == "cpu"
        numbers = {name: framework.array(loss, copy=True).item() for name, loss in losses.items()}
        sink.losses, sink.clips = numbers, clipping.found
        return numbers

    def _averages(self, side: int, view: View, *, copy: bool) -> Iterator[tuple[str, str, np.ndarray]]:
        """(name, the reference's entry of the network, values) of the averages of weights that a side keeps as plain tensors."""
        for average in getattr(self.programs[side], "averages", list)():
            for entry, tensor in average.tensors():
                seen = view(f"{average.network}.{entry}", self.frameworks[side].array(tensor, copy=copy))
                if seen is not None:
                    yield average.name, seen[0].removeprefix(f"{average.network}."), seen[1]

    def _kept_tensors(self, side: int) -> Iterator[tuple[str, Site | None, Any]]:
        """(name, where it is kept, tensor) of what both steps keep under one name, as a pool of pictures, and which a resync
        carries over."""
        program = self.programs[side]
        for name, tensors in (program.kept() if self._kept_by_both else {}).items():
            if name in self._kept_by_both:
                site = program.kept_at(name)
                yield from ((name + path, site, tensor) for path, tensor in tensors.items())

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
            stack.enter_context(framework.rounding(seed, self._choices))
            yield

    @contextmanager
    def _choosing(self, side: int, noted: bool) -> Iterator[None]:
        """What the reference chooses in a step that is measured, its noise draws go on with. In float32 rounding may choose."""
        if side or not noted or self.lane != "float64":
            yield
            return
        self._choices, noting = self.frameworks[side].choosing()
        with noting:
            yield

    def twin_step(self, number: int, batch: Mapping[str, np.ndarray], against: Against,
                  replayed: Replayed | None, righted: frozenset[Key] = frozenset()) -> Exception | None:
        try:
            self.step(1, number, batch, against, replayed=replayed, righted=righted)
        except InputError:  # a recording that cannot be read is no fault of the twin's
            raise
        except Exception as error:
            if any(census.findings for census in self.censuses.values()) or is_users(error, self.sources[1]):
                return error
            raise
        return None


def _shapes(arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    return {path: array.shape for path, array in arrays.items()}


def _largest(array: np.ndarray) -> float:
    return float(np.abs(array).max()) if array.size else 0.0
