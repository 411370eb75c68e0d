"""A training step of a user's own pair: two functions or classes, and what each step is fed with.

    pair = Port(my_torch.Net, my_paddle.Net, inputs=[...],
                training=Training(my_torch.Trainer, my_paddle.Trainer, batch=[normal(4, 3, 32, 32), integers(4, high=5)]))

Networks, optimizers and schedulers are not listed: they are found where the step keeps them.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parity.asked import SIDES
from parity.blame import hand_on, refusing
from parity.declare import inputs as recipes
from parity.declare.averages import Average, averages_of
from parity.declare.pair import Pair, TrainingSubject
from parity.declare.reach import found_in, kept_by, scopes_of
from parity.declare.weights import weights_of
from parity.files import InputError
from parity.frameworks import FRAMEWORKS, Framework, FrameworkError
from parity.frameworks.nests import leaves, replaced
from parity.frameworks.optimizers import SINGLE
from parity.numbers.noise import generator
from parity.trace.memos import plain_of
from parity.trace.source import Site, SourceTree, attribute_site, code_of, files_of
from weights_convert import DEFAULT, LayoutTable


@dataclass(frozen=True)
class Training:
    """One training step on both sides.

    reference, twin: build everything, without arguments, and return the step: a class whose objects have a method `step`, or a
    function that returns a function. The step takes the tensors of one batch, and returns its loss, or several as a tuple or
    a dict. Networks, optimizers and schedulers are found among the object's attributes, or in the function's closure.
    batch: recipes of the step's arguments (see `parity.inputs`), drawn anew for each step; a dict: keyword arguments; or a
    function: step number (from 1) -> the arrays themselves, in either form. twin_batch: such a function of the twin's own data
    code, whose batch is then compared with that of `batch`. names: reference name -> twin name of networks and optimizers,
    where they differ and are not told apart by what they are, and of tensors that are kept from step to step (a pool of
    pictures). phases: name of a function of the step -> the part of the step
    that it is ("D", "G"), for the reports. own_start: also compare how both sides draw their initial weights. horizon: so many
    calls of each learning-rate scheduler are compared before the first step, without training: a curve of both.
    """

    reference: Callable[[], Any]
    twin: Callable[[], Any]
    batch: Any
    twin_batch: Callable[[int], Any] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    phases: Mapping[str, str] = field(default_factory=dict)
    own_start: bool = False
    horizon: int = 0

    def subject(self, *, title: str = "training", names: Mapping[str, str] | None = None, layouts: LayoutTable = DEFAULT,
                sources: Sequence[str | Path] = (), seed: int = 0, device: str = "cpu") -> TrainingSubject:
        """What `parity.steps.follow.follow` takes: both start from the weights that the reference is built with (see `starting`).

        names: reference path -> twin path of modules and tensors, as in `Port`. Raises InputError where a side cannot be
        built, or trains nothing.
        """
        if type(self.horizon) is not int or self.horizon < 0:
            raise InputError(f"training, horizon: expected a number of calls of the schedulers, found {self.horizon!r}")
        both = tuple(Program.built(build, framework, side, "float32", "cpu", seed) for side, (build, framework) in
                     enumerate(zip((self.reference, self.twin), FRAMEWORKS, strict=True)))
        networks = _paired("networks", both[0].networks, both[1].networks, self.names, _alike)
        twin_networks = {other: one for one, other in networks.items()}
        held = [{name: program.networks_of(name) for name in program.optimizers} for program in both]
        held[1] = {name: {twin_networks.get(network, network) for network in found} for name, found in held[1].items()}
        paired = networks, _paired("optimizers", *held, self.names, lambda one, other: one == other)
        averages = _paired("averages", *({one.name: one for one in program.averages()} for program in both), {},
                           lambda one, other: len(one.held) == len(other.held))
        scalers = _paired("scalers", both[0].scalers, both[1].scalers, self.names, lambda one, other: True)
        kept = {**averages, **self.names}
        start = {name: weights_of(model, seed) for name, model in both[0].networks.items()}
        place = _Arguments(self.batch, both[0].parameters, seed)
        twin_place = None if self.twin_batch is None else _Arguments(self.twin_batch, both[0].parameters, seed)

        def reference(dtype: str) -> Program:
            return Program.built(self.reference, FRAMEWORKS[0], 0, dtype, device, seed).fed(place)

        def twin(dtype: str) -> Program:
            return Program.built(self.twin, FRAMEWORKS[1], 1, dtype, device, seed).fed(place).renamed(*paired, scalers, kept)

        trees = [SourceTree(*files_of([*program.networks.values()], FRAMEWORKS[side]), *program.files, *sources)
                 for side, program in enumerate(both)]
        pair = Pair(title, *trees, layouts=layouts, names=_full_names(names or {}, paired[0]))
        return TrainingSubject(title, pair, reference, twin, {"networks": start}, place.arrays, self._phases(), seed,
                               None if twin_place is None else twin_place.arrays, self.own_start, device, self.horizon)

    def _phases(self) -> dict[str, tuple[str | None, str]]:
        return {function: (phase, "forward") for function, phase in self.phases.items()}


class _Arguments:
    """The arguments of a step, by name, and back from tensors into the form in which the step takes them."""

    def __init__(self, batch: Any, parameters: Sequence[str], seed: int) -> None:
        self._batch, self._parameters, self._seed = batch, parameters, seed

    def nest(self, step: int) -> Any:
        nest = hand_on(self._batch, step) if callable(self._batch) else self._batch
        return nest if isinstance(nest, (Mapping, tuple, list)) else (nest,)

    def arrays(self, step: int) -> dict[str, np.ndarray]:
        """Name -> array: that of the parameter, and the access path inside it."""
        drawn = dict(recipes.draw(self.nest(step), f"{self._seed}/step {step}"))
        return {self._name(path): array for path, array in drawn.items()}

    def _name(self, path: str) -> str:
        place, _, rest = path.removeprefix("[").partition("]")
        number = int(place) if place.isdecimal() else None
        if number is None:
            return place.strip("'") + rest
        return (self._parameters[number] if number < len(self._parameters) else f"argument {number + 1}") + rest

    def filled(self, step: int, tensors: Sequence[Any]) -> tuple[tuple, dict]:
        nest = self.nest(step)
        filled = recipes.fill(nest, dict(zip(recipes.places(nest), tensors, strict=True)))
        return ((), filled) if isinstance(filled, Mapping) else (tuple(filled), {})


class _Kept(NamedTuple):
    """What one side alone knows of where it stands: never carried over, never moved by rounding, never written. bound: of each
    name that the step has for an optimizer or a scheduler, which one of those that it has had it is: another program of the same
    side has its own."""

    bound: dict[str, int]
    rates: dict[str, list[float]]
    memory: dict[str, Any]
    schedules: list[dict]
    scalers: dict[str, dict[str, Any]]
    values: list[tuple[str, Any]]
    of_modules: dict[str, Any]


class Program:
    """A user's step as `lockstep` drives it: `networks`, `optimizers`, `step(*batch, number)`, `state()`, `load_state()`."""

    def __init__(self, step: Callable, framework: Framework, side: int, dtype: str, seed: int) -> None:
        self._step, self._framework, self._side, self._dtype, self._seed = step, framework, side, dtype, seed
        self._place: _Arguments | None = None
        self._known_as: dict[str, str] = {}
        reach = found_in(step)
        self.networks = {name: model for name, model in reach[0].items() if framework.is_model(model)}
        self.optimizers = {name: one for name, one in reach[1].items() if framework.is_optimizer(one)}
        self._names_of_optimizers: dict[str, str] = {}  # where they are known by the reference's
        self._bound = {name: [one] for name, one, _ in self._names()}
        self._schedulers = list(self._found_schedulers())
        self.scalers = dict(self._found_scalers())
        self._buffers = {id(model): frozenset(f"{path}.{name}".lstrip(".") for path, module in framework.modules(model)
                                               for name in module._buffers) for model in self.networks.values()}
        self._check()

    @classmethod
    def built(cls, build: Callable[[], Any], framework: Framework, side: int, dtype: str, device: str, seed: int) -> Program:
        """In that precision, on that device. Raises InputError."""
        if not callable(build):
            raise InputError(f"training, {SIDES[side]}: expected a class or a function that builds the training, found {build!r}")
        with framework.seeded(seed), framework.default_dtype(dtype), refusing(
                f"training, {SIDES[side]}", cannot="it cannot be built", advice="call it alone to see more"):
            made = hand_on(build)
        step = made if inspect.isroutine(made) or not hasattr(made, "step") else made.step
        if not callable(step):
            raise InputError(f"training, {SIDES[side]}: expected an object with a method `step`, or a function that runs one step, "
                             f"found {type(made).__qualname__}")
        program = cls(step, framework, side, dtype, seed)
        for model in program.networks.values():
            modes = [(module, module.training) for _, module in framework.modules(model)]
            framework.prepare(model, dtype=dtype, training=True, device=device)
            for module, training in modes:
                module.training = training
        return program

    def fed(self, place: _Arguments) -> Program:
        self._place = place
        return self

    def renamed(self, networks: Mapping[str, str], optimizers: Mapping[str, str], scalers: Mapping[str, str],
                kept: Mapping[str, str]) -> Program:
        """Networks, optimizers, scalers and kept tensors under the reference's names. Each: reference name -> own name."""
        self._known_as = {own: name for name, own in kept.items()}
        self._names_of_optimizers = dict(optimizers)
        mine = self.networks, self.optimizers, self.scalers
        self.networks, self.optimizers, self.scalers = (
            {**{one: held[other] for one, other in names.items()},
             **{name: value for name, value in held.items() if name not in names.values()}}
            for names, held in zip((networks, optimizers, scalers), mine, strict=True))
        return self

    @property
    def parameters(self) -> list[str]:
        """Names of the step's positional parameters."""
        try:
            return [name for name, one in inspect.signature(self._step).parameters.items() if one.kind in (
                one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
        except (TypeError, ValueError):
            return []

    @property
    def files(self) -> list[str]:
        """Where the step is written."""
        code = code_of(self._step)
        return [code.co_filename] if code is not None else []

    @property
    def made_by(self) -> type:
        """The class of the object whose step this is."""
        return type(getattr(self._step, "__self__", self._step))

    def step(self, *batch: Any) -> dict[str, Any]:
        """The user's step, on a batch and the step's number; what it returns as {name: single number}."""
        *tensors, number = batch
        arguments, keywords = self._place.filled(number, tensors) if self._place is not None else (tuple(tensors), {})
        framework = self._framework
        with framework.seeded(_seed_of(self._seed, number)), framework.default_dtype(self._dtype):
            losses = dict(self._losses(hand_on(self._step, *arguments, **keywords)))
        for model in self.networks.values():
            framework.keep_as_attributes(model, self._buffers[id(model)])
        self._follow_names()
        if not losses:
            raise InputError(f"training, {SIDES[self._side]}: expected the step to return its loss, or several in a tuple or "
                             f"a dict, found no single number in what it returned")
        return losses

    def networks_of(self, optimizer: str) -> set[str]:
        """The networks whose parameters an optimizer holds."""
        names = self._parameter_names()
        held = self._framework.optimizer_parameters(self.optimizers[optimizer])
        return {names[id(parameter)][0] for parameter in held if id(parameter) in names}

    def state(self) -> dict[str, Any]:
        """Weights, moments and kept tensors, and what only this side knows (`own`)."""
        framework, names = self._framework, self._parameter_names()
        moments: dict[str, dict] = {}
        for optimizer in self.optimizers.values():
            for parameter in framework.optimizer_parameters(optimizer):
                held = framework.optimizer_state(optimizer, parameter)
                if id(parameter) in names and framework.remembers(optimizer, held):
                    network, name = names[id(parameter)]
                    moments.setdefault(network, {})[name] = {what: value if value.ndim or what not in SINGLE else value.item()
                                                             for what, value in held.items()}
        averages = self.averages()
        kept = {name: {path: framework.array(tensor, copy=True) for path, tensor in held.items()}
                for name, held in self._kept_beside(averages).items()}
        return {"networks": {name: framework.state(model) for name, model in self.networks.items()}, "moments": moments,
                "kept": {name: tensors for name, tensors in kept.items() if tensors}, "own": self.own(),
                "averages": {one.name: {one.network: {entry: framework.array(tensor, copy=True) for entry, tensor in one.tensors()}}
                             for one in averages}}

    def kept(self) -> dict[str, dict[str, Any]]:
        """Name -> access path -> tensor of what the step keeps besides networks, optimizers and averages, under the reference's
        names: a pool of pictures. An empty pool is one, too."""
        return self._kept_beside(self.averages())

    def _kept_beside(self, averages: Sequence[Average]) -> dict[str, dict[str, Any]]:
        mirrors = {id(one.held) for one in averages}
        return {name: dict(self._framework.tensors_in(value)) for name, value, _ in self._values()
                if not isinstance(value, dict) and id(value) not in mirrors}  # a dict goes by names of its own

    def kept_at(self, name: str) -> Site | None:
        """The line of the class that sets an attribute which the step keeps, by its name in `kept`; None of a closure's."""
        own = next((own for own, known in self._known_as.items() if known == name), name)
        owner, (*path, last) = getattr(self._step, "__self__", None), own.split(".")
        for part in path:
            owner = owner.get(part) if isinstance(owner, dict) else getattr(owner, part, None)
        return None if owner is None else attribute_site(owner, last)

    def averages(self) -> list[Average]:
        """Averages of weights that are kept as plain tensors, under the reference's names."""
        return [one._replace(name=self._known_as.get(one.name, one.name))
                for one in averages_of(self._step, self.networks, self._framework)]

    def curve(self, optimizer: str, calls: int) -> list[tuple[float, ...]] | None:
        """The learning rates of an optimizer now, and after each call of its scheduler, which is not moved; None where it has none,
        or several, whose turn the step alone knows. It ends early where the scheduler does."""
        held, framework = self.optimizers[optimizer], self._framework
        found = [one for one in self._schedulers if framework.is_schedule_of(one, held)]
        return framework.curve(found[0], held, calls) if len(found) == 1 else None

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there. Without `own` this side stays where it is in that. Raises ValueError where the weights do not fit."""
        framework, names = self._framework, self._parameter_names()
        for name, model in self.networks.items():
            try:
                framework.load_state(model, state["networks"].get(name, {}))
            except FrameworkError as error:
                raise ValueError(str(error)) from error
        if "own" in state:
            self._load_own(state["own"])
        for optimizer in self.optimizers.values():
            held = []
            for parameter in framework.optimizer_parameters(optimizer):
                network, name = names.get(id(parameter), ("", ""))
                held.append((parameter, state.get("moments", {}).get(network, {}).get(name, {})))
            framework.load_optimizer_state(optimizer, held)
        for name, value, put in list(self._values()):
            tensors = dict(framework.tensors_in(value))
            given = state.get("kept", {}).get(name, {})
            if tensors and {path: array.shape for path, array in given.items()} == {
                    path: framework.shape_dtype(tensor)[0] for path, tensor in tensors.items()}:
                put(framework.replace_tensors(value, {path: framework.tensor(array.astype(framework.shape_dtype(tensors[path])[1]))
                                                      for path, array in given.items()}))
        for average in self.averages():
            given = state.get("averages", {}).get(average.name, {}).get(average.network, {})
            for entry, tensor in list(average.tensors()):
                if entry in given and framework.shape_dtype(tensor)[0] == given[entry].shape:
                    average.held[average.places[entry]] = framework.tensor(given[entry].astype(framework.shape_dtype(tensor)[1]),
                                                                           requires_grad=framework.requires_grad(tensor))

    # --- what only this side knows -----------------------------------------------------------------------------

    def own(self) -> _Kept:
        """What the other side does not take over: learning rates, what optimizers alone know, schedules, counters."""
        framework = self._framework
        return _Kept({name: _place(one, self._bound[name]) for name, one, _ in self._names()},
                     {name: framework.learning_rates(one) for name, one in self.optimizers.items()},
                     {name: framework.optimizer_memory(one) for name, one in self.optimizers.items()},
                     [framework.plain_copy(one.state_dict()) for one in self._schedulers],
                     {name: copy.deepcopy(vars(one)) for name, one in self.scalers.items()},
                     [(name, framework.plain_copy(value)) for name, value, _ in self._values()],
                     {name: framework.plain_copy(value) for name, value, _ in self._of_modules()})

    def remembered(self, own: _Kept) -> dict[str, dict[str, np.ndarray]]:
        """Name -> access path -> values of what the step and its modules keep beside weights, as it is in `own`: tensors, arrays
        and real numbers (a hidden state, a running baseline)."""
        return {name: {path: self._framework.array(leaf, copy=True) if self._framework.is_tensor(leaf) else np.array(leaf)
                       for path, leaf in self._remembered_in(value).items()}
                for name, value in (*own.values, *own.of_modules.items())}

    def remembering(self, own: _Kept, given: Mapping[str, Mapping[str, np.ndarray]]) -> _Kept:
        """`own` with the values of `given`, at the paths that it has (as of `remembered`)."""
        def like(leaf: Any, array: np.ndarray) -> Any:
            if self._framework.is_tensor(leaf):
                return self._framework.spliced(leaf, array)
            return array.astype(leaf.dtype) if isinstance(leaf, np.ndarray) else type(leaf)(array)

        def filled(name: str, value: Any) -> Any:
            arrays = given.get(name, {})
            return replaced(value, self._is_remembered, {path: like(leaf, arrays[path])
                                                         for path, leaf in self._remembered_in(value).items() if path in arrays})

        return own._replace(values=[(name, filled(name, value)) for name, value in own.values],
                            of_modules={name: filled(name, value) for name, value in own.of_modules.items()})

    def _remembered_in(self, value: Any) -> dict[str, Any]:
        """Access path -> tensor, array or real number in it."""
        return {path: leaf for path, leaf in leaves(value, self._is_remembered) if self._is_remembered(leaf)}

    def _is_remembered(self, value: Any) -> bool:
        if isinstance(value, np.ndarray):
            return value.dtype.kind in "fiub"
        return self._framework.is_tensor(value) or isinstance(value, (float, np.floating))

    def _load_own(self, own: _Kept) -> None:
        framework = self._framework
        for name, value, put in list(self._names()):
            known, place = self._bound[name], own.bound.get(name, 0)
            if place < len(known) and known[place] is not value:
                put(known[place])
        self._follow_names()
        for scheduler, state in zip(self._schedulers, own.schedules, strict=False):  # a step may make one more
            (getattr(scheduler, "set_state_dict", None) or scheduler.load_state_dict)(framework.plain_copy(state))
        for name, held in own.scalers.items():
            vars(self.scalers[name]).update(copy.deepcopy(held))
        for name, memory in own.memory.items():
            framework.set_optimizer_memory(self.optimizers[name], memory)
        for name, rates in own.rates.items():
            framework.set_learning_rates(self.optimizers[name], rates)
        places = {name: put for name, _, put in self._values()}
        for name, value in own.values:
            if name in places:
                places[name](framework.plain_copy(value))
        for name, _, attributes in list(self._of_modules()):
            attribute = name.rpartition(".")[2]
            if name in own.of_modules:
                attributes[attribute] = framework.plain_copy(own.of_modules[name])
            else:  # there was none
                del attributes[attribute]

    def _names(self) -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
        """(name, optimizer or scheduler, how to put one back) of those to which the step keeps a name."""
        framework = self._framework
        for scope, put in scopes_of(self._step):
            for name, value in list(scope.items()):
                if framework.is_optimizer(value) or isinstance(value, framework.scheduler_class):
                    yield name, value, functools.partial(put, name)

    def _follow_names(self) -> None:
        """An optimizer that the step has made anew, or that was put back, is the one of its name."""
        now = {name: one for name, one, _ in self._names()}
        for name, one in now.items():
            known = self._bound.setdefault(name, [])
            if not any(one is other for other in known):
                known.append(one)
        for name in self.optimizers:
            one = now.get(self._names_of_optimizers.get(name, name))
            is_new = not any(one is other for other in self.optimizers.values())  # not one of two that are used in turns
            if is_new and self._framework.is_optimizer(one):
                self.optimizers[name] = one
        self._schedulers = list(self._found_schedulers())

    def _values(self) -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
        """(the reference's name, value, how to put it back) of plain values that the step keeps: counters, a pool of pictures."""
        for name, value, put in kept_by(self._step):
            if self._framework.is_plain(value):
                yield self._known_as.get(name, name), value, put

    def _of_modules(self) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """(full name, value, the attributes that hold it) of what the modules of the networks keep beside weights."""
        for network, model in self.networks.items():
            for name, value, attributes in plain_of(self._framework, model):
                yield f"{network}.{name}", value, attributes

    # ---------------------------------------------------------------------------------------------------------------

    def _parameter_names(self) -> dict[int, tuple[str, str]]:
        return {id(parameter): (network, name) for network, model in self.networks.items()
                for name, parameter in self._framework.parameters(model).items()}

    def _found_schedulers(self) -> Iterator[Any]:
        framework, seen = self._framework, set()
        kept = [value for scope, _ in scopes_of(self._step) for value in _items(scope)]
        for value in [*kept, *(framework.scheduler_of(one) for one in self.optimizers.values())]:
            if isinstance(value, framework.scheduler_class) and id(value) not in seen:
                seen.add(id(value))
                yield value

    def _found_scalers(self) -> Iterator[tuple[str, Any]]:
        function = getattr(self._step, "__func__", self._step)
        seen: set[int] = set()
        for scope in (*(scope for scope, _ in scopes_of(self._step)), getattr(function, "__globals__", {})):
            for name, value in scope.items():
                if isinstance(value, self._framework.scaler_class) and id(value) not in seen:
                    seen.add(id(value))
                    yield name, value

    def _check(self) -> None:
        framework, side = self._framework, SIDES[self._side]
        if not self.networks:
            raise InputError(f"training, {side}: found no {framework.name} network where the step keeps things (attributes of its "
                             f"object, or the closure of the function); the PyTorch program comes first")
        if not self.optimizers:
            raise InputError(f"training, {side}: found no {framework.name} optimizer beside {', '.join(self.networks)}; keep it "
                             f"where the network is kept")
        for name, optimizer in self.optimizers.items():
            if framework.scheduler_of(optimizer) is not None and not self._schedulers:
                raise InputError(f"training, {side}: {name} has a scheduler that the step does not keep; keep it where the "
                                 f"optimizer is kept, so that its steps can be followed")

    def _losses(self, returned: Any) -> Iterator[tuple[str, Any]]:
        """Single numbers, as tensors, by name; other results of the step are not losses."""
        framework = self._framework
        nest = returned if isinstance(returned, (Mapping, tuple, list)) else {"loss": returned}
        for key, value in nest.items() if isinstance(nest, Mapping) else enumerate(nest, 1):
            name = str(key) if isinstance(nest, Mapping) else f"loss_{key}"
            if isinstance(value, (int, float, np.number)):
                yield name, framework.tensor(np.asarray(value, self._dtype))
            elif framework.is_tensor(value) and int(np.prod(framework.shape_dtype(value)[0])) == 1:
                yield name, value.detach()


def _paired(what: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], names: Mapping[str, str],
            alike: Callable[[Any, Any], bool]) -> dict[str, str]:
    """Reference name -> twin name: as the user says, by equal names, by what they are, and what is left by its order.

    Where one side has more, those have no partner, which the census says.
    """
    found: dict[str, str] = {}

    def rest() -> tuple[list[str], list[str]]:
        return [name for name in ours if name not in found], [name for name in theirs if name not in found.values()]

    for name, other in names.items():
        if name in ours and other not in theirs:
            raise InputError(f"training, names: the twin has no {other!r} among its {what}; it has {', '.join(theirs)}")
        if name in ours:
            found[name] = other
    for same in (lambda one, other: one == other, lambda one, other: _plain(one) == _plain(other),
                 lambda one, other: alike(ours[one], theirs[other])):
        for name in rest()[0]:
            partner = next((other for other in rest()[1] if same(name, other)), None)
            if partner is not None:
                found[name] = partner
    return found | dict(zip(*rest(), strict=False))


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _alike(reference: Any, twin: Any) -> bool:
    """Whether two networks hold parameters of the same sizes."""
    ours, theirs = (sorted(int(np.prod(tuple(parameter.shape))) for parameter in model.parameters()) for model in (reference, twin))
    return ours == theirs


def _full_names(names: Mapping[str, str], networks: Mapping[str, str]) -> dict[str, str]:
    """Paths of the pair with the network before them on the reference's side: "net.hidden" -> "fc"."""
    if len(networks) == 1:
        network = next(iter(networks))
        return {f"{network}.{one.removeprefix(f'{network}.')}": other.removeprefix(f"{networks[network]}.")
                for one, other in names.items()}
    full = {}
    for one, other in names.items():
        network = next((network for network in networks if one.startswith(f"{network}.")), None)
        if network is not None:
            full[one] = other.removeprefix(f"{networks[network]}.").removeprefix(f"{network}.")
    return full


def _seed_of(seed: int, step: int) -> int:
    return int(generator("step", seed, step).integers(2**31))


def _place(one: Any, several: Sequence[Any]) -> int:
    return next(place for place, other in enumerate(several) if one is other)


def _items(scope: Mapping[str, Any]) -> Iterator[Any]:
    for value in scope.values():
        yield value
        yield from value if isinstance(value, (list, tuple)) else value.values() if isinstance(value, dict) else ()
