"""Both training programs of a subject, and how the one's names, layouts and states translate into the other's."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from parity.blame import is_users
from parity.declare.pair import TrainingSubject
from parity.files import InputError
from parity.messages import say, some
from parity.numbers.noise import generator
from parity.pairing.census import Census, LoneBuffers, first_names, take
from parity.pairing.parts import Parts
from parity.steps.state import carry, cast, joined
from parity.trace.events import Replayed, Sink
from parity.trace.optimizers import checksum, watching
from parity.trace.recorder import Recorder
from parity.trace.side import Run, Side, unchanged
from parity.trace.source import ConstructionSites
from parity.verdict.sinks import Against
from weights_convert import Plan


class Programs:
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
        self.censuses = self._paired()
        self.plans: dict[str, Plan] = {name: census.plan for name, census in self.censuses.items()}
        first = {network: first_names(self.frameworks[0], self.programs[0].networks[network]) for network in self.plans}
        self._names = {f"{network}.{entry.target}": (f"{network}.{first[network].get(entry.source, entry.source)}", entry)
                       for network, plan in self.plans.items() for entry in plan.entries.values() if entry.target}
        self._lone = tuple({network: LoneBuffers(framework, program.networks[network], census.lone[side])
                            for network, census in self.censuses.items()}
                           for side, (framework, program) in enumerate(zip(self.frameworks, self.programs, strict=True)))
        self._dropped = {f"{network}.{entry.source}" for network, plan in self.plans.items() for entry in plan.entries.values()
                         if entry.target is None}
        self.start = cast({"moments": {}, **self.programs[0].state(), **subject.state}, lane)
        self._losses: tuple[str, ...] = ()  # names of the reference's

    def _paired(self) -> dict[str, Census]:
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
        for name, census in self.censuses.items():
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
        complete = self.censuses.keys() == self.programs[1].networks.keys()
        if not complete or any(census.findings or census.lone[1] for census in self.censuses.values()):
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
        except Exception as error:
            if any(census.findings for census in self.censuses.values()) or is_users(error, self.sources[1]):
                return error
            raise
        return None

    def reference_name(self, side: int, name: str) -> str:
        """What the reference calls this entry of a side."""
        return self._names[name][0] if side and name in self._names else name

    def _paths(self, side: int, network: str) -> Mapping[str, str] | None:
        """Own module path -> the reference's, of a network whose modules may have other names."""
        if self.subject.pair.names is None:
            return None
        modules = self.censuses[network].modules if network in self.censuses else {}
        return modules if side else {path: path for path in modules.values()}

    def _rests(self, side: int, name: str, array: np.ndarray | None) -> bool:
        network, _, entry = name.partition(".")
        return network in self._lone[side] and self._lone[side][network].rests(entry, array)

    def _view(self, side: int) -> Callable[[str, np.ndarray | None], tuple[str, np.ndarray | None] | None]:
        """An entry of a side as the reference knows it, for one run; None for what the twin has none of by design, and for the
        parts of a tensor that is split, until the last of them. Scalars kept per parameter have no layout."""
        if not side:
            return lambda name, array: None if name in self._dropped or self._rests(0, name, array) else (name, array)
        parts: dict[tuple[str, int], Parts] = {}

        def view(name: str, array: np.ndarray | None) -> tuple[str, np.ndarray | None] | None:
            if name not in self._names:
                return None if self._rests(1, name, array) else (name, array)
            source, entry = self._names[name]
            if not entry.rows:
                return source, array if array is None or array.ndim == 0 else np.asarray(entry.to_torch(array), order="C")
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
                    self.frameworks[1].set_gradient(parameters[other], np.asarray(part.to_paddle(array), order="C"))
        return np.asarray(entry.to_paddle(array), order="C")
