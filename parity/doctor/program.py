"""The program under watch: its networks and optimizers by name, and where each thing was made."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from parity.doctor.places import argument_site, assignment_site, name_in
from parity.files import InputError
from parity.frameworks import Framework, FrameworkError, of_model
from parity.trace.source import ConstructionSites, Site, SourceTree, attribute_site

# Arguments of optimizers, by which a call over several lines is read: what it holds, and how it steps.
HELD = ("params", "parameters")
RATE = ("lr", "learning_rate")
DECAY = ("weight_decay",)


class Program:
    """Networks and optimizers of one framework.

    models, optimizers: name -> object, or objects, which are then called what `frame` calls them.
    Raises InputError where there is no model, or what is given is neither torch's nor Paddle's.
    """

    def __init__(self, models: Any, optimizers: Any, *, frame: FrameType | None = None, source: SourceTree | None = None,
                 constructions: ConstructionSites | None = None) -> None:
        self.models = _named(models, frame, "model")
        self.optimizers = _named(optimizers, frame, "optimizer")
        if not self.models:
            raise InputError("doctor: expected at least one model, found none; hand over the networks that are trained")
        try:
            frameworks = {name: of_model(model) for name, model in self.models.items()}
        except FrameworkError as error:
            raise InputError(f"doctor: {error}") from error
        if len({framework.name for framework in frameworks.values()}) > 1:
            raise InputError("doctor: expected models of one framework, found torch and Paddle together; watch one at a time")
        self.framework: Framework = next(iter(frameworks.values()))
        for name, optimizer in self.optimizers.items():
            if not self.framework.is_optimizer(optimizer):
                raise InputError(
                    f"doctor: {name}: expected a {self.framework.name} optimizer, found {type(optimizer).__qualname__}"
                )
        self.source = source
        self.constructions = constructions or ConstructionSites()
        self.epochs: dict[int, int] = {}  # batch size -> batches of an epoch, of loaders that were there while it was watched
        self.schedules: dict[str, tuple[str, dict[str, float]]] = {}  # optimizer -> kind and numbers of what stepped its rate
        self.schedulers: dict[str, Any] = {}
        self.files: list[str] = []  # of the user's, in which code has run
        self._networks: dict[str, str] = {}
        self.made: dict[str, Site | None] = {}  # optimizers that were made while it was watched, and where
        self.held_elsewhere: set[int] = set()  # ids of what optimizers hold that train none of these networks
        self.held_state: dict[int, str] = {}  # of what optimizers hold (and so keep alive): what is or was a buffer
        self.refresh()

    def adopt(self, optimizer: Any, frame: FrameType | None = None, name: str | None = None) -> str:
        """Watch this one, too; returns its name. name: of another, whose place it takes."""
        if name is None:
            name = name_in(frame, optimizer) or "optimizer"
            while name in self.optimizers:
                name += "'"
        self.optimizers[name] = optimizer
        self.refresh()
        return name

    def trains(self, optimizer: Any) -> bool:
        """Whether the optimizer holds parameters of the networks."""
        return any(id(p) in self.names for p in self.framework.optimizer_parameters(optimizer))

    def others(self) -> list[Any]:
        """Optimizers that are alive, hold parameters of the networks, and are none of those that are known."""
        known = {id(optimizer) for optimizer in self.optimizers.values()}
        # Not `get_objects`: a list that holds a tuple which another thread is making (a loader's) makes that thread fail.
        kinds = set(with_subclasses(self.framework.optimizer_class))
        alive = [found for found in gc.get_referrers(*kinds) if type(found) in kinds
                 and id(found) not in known and not self.iterator_left(found)]
        self.held_elsewhere |= {id(p) for found in alive if not self.trains(found)
                                for p in self.framework.optimizer_parameters(found)}
        return [found for found in alive if self.trains(found)]

    def note_loaders(self) -> None:
        """The loaders that are there now: batch size -> number of batches, of the longest."""
        kinds = set(with_subclasses(self.framework.loader_class))
        for loader in gc.get_referrers(*kinds):
            if type(loader) in kinds:
                with suppress(Exception):  # of a stream: it has no length
                    size = getattr(loader, "batch_size", None) or loader.batch_sampler.batch_size
                    self.epochs[size] = max(self.epochs.get(size, 0), len(loader))

    def around(self, optimizer: str, others: Iterable[str]) -> bool:
        """Whether all that this one holds is held by these others: it leaves the step to them (Lookahead, SAM)."""
        held = {id(p) for name in others for p in self.held[name]}
        return bool(self.held[optimizer]) and all(id(p) in held for p in self.held[optimizer])

    def covered(self, optimizers: frozenset[str]) -> bool:
        """Whether these hold all that any of the optimizers does: one may stand around another."""
        known = self._covered.get(optimizers)
        if known is None:
            known = self._covered[optimizers] = all(name in optimizers or self.around(name, optimizers) for name in self.held)
        return known

    def changed(self) -> bool:
        """Whether models or optimizers hold other objects than at the latest `refresh`."""
        return self._contents() != self._seen

    def _contents(self) -> list[int]:
        models = [id(part) for model in self.models.values() for part in (*filter(self.framework.has_data, model.parameters()),
                                                                          *_modules(model))]
        held = [id(p) for name, optimizer in self.optimizers.items() if not self.iterator_of(name)
                for p in self.framework.optimizer_parameters(optimizer)]
        return models + held

    def refresh(self) -> None:
        """Look again at what the models hold: it may have changed."""
        framework = self.framework
        self._seen = self._contents()
        self._covered: dict[frozenset[str], bool] = {}
        self.parameters: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        self.owners: dict[int, list[str]] = {}  # parameter id -> networks that have it
        self.buffers: dict[int, str] = {}
        self.leaves: set[str] = set()
        self.modules: dict[str, Any] = {}
        self.paths: dict[int, str] = {}
        for network, model in self.models.items():
            for path, module in framework.modules(model):
                full = f"{network}.{path}" if path else network
                self.modules[full] = module
                self.paths.setdefault(id(module), full)
                if next(iter(module.children()), None) is None:
                    self.leaves.add(full)
            for name, parameter in framework.parameters(model).items():
                if not framework.has_data(parameter):
                    continue
                self.owners.setdefault(id(parameter), []).append(network)
                if id(parameter) not in self.names:
                    self.names[id(parameter)] = f"{network}.{name}"
                    self.parameters[f"{network}.{name}"] = parameter
        for path, module in self.modules.items():
            for name, value in {**getattr(module, "_buffers", {}), **framework.moving_state(module)}.items():
                if value is not None:
                    self.buffers[id(value)] = f"{path}.{name}"
        # torch's attribute and Paddle's list of it may hold an iterator; looking into that would use it up.
        self.held = {name: [] if self.iterator_of(name) else framework.optimizer_parameters(optimizer)
                     for name, optimizer in self.optimizers.items()}
        self.holders: dict[int, str] = {}  # id of whatever an optimizer holds -> the first that does
        for name, held in self.held.items():
            for p in held:
                self.holders.setdefault(id(p), name)
        # A spectral norm's weight is a buffer that each forward replaces.
        self.held_state |= {id(p): self.buffers[id(p)] for held in self.held.values() for p in held if id(p) in self.buffers}

    def iterator_of(self, optimizer: str) -> bool:
        """Whether the optimizer was left with an iterator where a list belongs."""
        return self.iterator_left(self.optimizers[optimizer])

    @staticmethod
    def iterator_left(optimizer: Any) -> bool:
        listed = getattr(optimizer, "_parameter_list", None)
        return listed is not None and not isinstance(listed, Sequence)

    def trainable(self) -> dict[str, Any]:
        return {name: value for name, value in self.parameters.items() if self.framework.requires_grad(value)}

    def network_of(self, name: str) -> str:
        """The network of a full parameter or module name (network names may contain dots)."""
        known = self._networks.get(name)
        if known is None:
            known = self._networks[name] = next((network for network in sorted(self.models, key=len, reverse=True)
                                                 if name == network or name.startswith(network + ".")), name.partition(".")[0])
        return known

    def held_names(self, optimizer: str) -> list[str]:
        return [self.names[id(p)] for p in self.held[optimizer] if id(p) in self.names]

    def holder_of(self, name: str) -> str | None:
        return self.holders.get(id(self.parameters[name])) if name in self.parameters else None

    @property
    def held_anywhere(self) -> set[str]:
        """Parameters that some optimizer holds."""
        return {name for key, name in self.names.items() if key in self.holders}

    def site_of(self, name: str) -> Site | None:
        """The line that made a module or parameter: where its construction was seen, else as the classes' source says."""
        path, attribute = name, None
        while True:
            module = self.modules.get(path)
            if module is not None:
                if attribute is not None and (site := attribute_site(module, attribute)) is not None:
                    found = self.constructions.of(self.modules.get(f"{path}.{attribute}"))
                    return found or site
                if (site := self.constructions.of(module)) is not None and attribute is not None:
                    own = self.constructions.of(self.modules.get(f"{path}.{attribute}"))  # `site`: of a list that it was put in
                    return own or site
            if path in self.models:
                return self.constructions.of(module) or self.assigned(path, type(module).__name__)
            path, _, attribute = path.rpartition(".")
            if not path:
                return None

    def optimizer_site(self, name: str, argument: Sequence[str] = ()) -> Site | None:
        """The line that makes an optimizer; of a call over several lines, that of the argument by one of these names."""
        optimizer = self.optimizers[name]
        made = self.made.get(name) or self.constructions.of(optimizer) or self.assigned(name, type(optimizer).__name__)
        return argument_site(made, argument) if argument else made

    def assigned(self, name: str, calls: str) -> Site | None:
        return assignment_site(self.files, name, calls)


def with_subclasses(kind: type) -> Iterator[type]:
    """The class, and all that inherit from it."""
    yield kind
    for below in kind.__subclasses__():
        yield from with_subclasses(below)


def _modules(model: Any) -> Any:
    return model.modules() if hasattr(model, "modules") else model.sublayers()


def _named(given: Any, frame: FrameType | None, what: str) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if not isinstance(given, (list, tuple)):
        given = [given]
    named: dict[str, Any] = {}
    for number, value in enumerate(given):
        name = name_in(frame, value) or (what if len(given) == 1 else f"{what}{number + 1}")
        while name in named:
            name += "'"
        named[name] = value
    return named
