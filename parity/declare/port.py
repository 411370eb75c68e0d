"""A user's own pair: a few lines in a file of theirs, or two classes named on the command line.

    from parity.inputs import normal
    from parity.port import Port

    pair = Port(torch_net.Net, paddle_net.Net, inputs=[normal(2, 3, 32, 32)])
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from parity import asked
from parity.blame import hand_on, refusing
from parity.declare import inputs as recipes
from parity.declare.late import makes_layers
from parity.declare.loader import load as load_module
from parity.declare.pair import Pair, Subject, TrainingSubject
from parity.declare.training import Training
from parity.declare.weights import Built, weights_of
from parity.files import InputError
from parity.frameworks import FRAMEWORKS
from parity.pairing.correspondence import naming
from parity.pairing.listing import Listing, listing
from parity.trace.source import SourceTree, code_of, files_of
from weights_convert import DEFAULT, LayoutTable


@dataclass(frozen=True)
class Port:
    """A PyTorch program and its Paddle port, and what both are fed with.

    reference, twin: build the module: a class, a function, a built module, or the name of one ("file.py:Class", "module:Class",
    seen from the working directory); twin=None where it runs elsewhere, and is recorded there (docs/old-environments.md).
    inputs: recipes of the positional arguments (see `parity.inputs`), or a dict: keyword arguments. keywords: recipes of
    keyword arguments. twin_keywords: reference keyword -> twin keyword, where they have other names. names: reference path ->
    twin path of modules or tensors where the pairing by names and shapes goes wrong or has to guess. modes: of "eval" and
    "train". calls: forwards in a row, before one backward. weights: name -> array, in the reference's layout; by default those
    that it is built with, of which constants (a bias of zeros, a scale of ones) are moved, so that one that goes missing in the
    twin is missed. sources: more files and folders whose lines are followed, besides those of the modules' classes. training: a
    training step for `parity steps` to follow.
    own_weights: do not give both the same weights, but compare each side with those that it is built with, as its builder loads
    them.
    """

    reference: Any
    twin: Any
    inputs: Sequence[Any] | Mapping[str, Any] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    twin_keywords: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    modes: Sequence[str] = ("eval", "train")
    calls: int = 1
    seed: int = 0
    name: str = ""
    weights: Mapping[str, np.ndarray] | None = None
    layouts: LayoutTable = DEFAULT
    sources: Sequence[str | Path] = ()
    training: Training | None = None
    own_weights: bool = False

    def __post_init__(self) -> None:
        for side in ("reference", "twin"):
            given = getattr(self, side)
            if isinstance(given, str):
                object.__setattr__(self, side, _found(given))

    def subject(self, mode: str = "eval", seed: int | None = None) -> Subject:
        """What `ladder.compare` takes. Raises InputError where the two cannot be built or are of no known framework."""
        asked.one("mode", mode, asked.MODES)
        asked.count(f"{self.name or 'Port'}, calls", self.calls)
        seed = self.seed if seed is None else seed
        return Subject(self.title, self.pair, lambda: self._build(0, seed), lambda: self._build(1, seed), self._state(seed),
                       self.arrays(seed), training=mode == "train", calls=self.calls, seed=seed, arrange=self.arrange,
                       own_weights=self.own_weights, redrawn=lambda side: self._redrawn(side, seed))

    def _redrawn(self, side: int, seed: int) -> Any:
        live = FRAMEWORKS[side].is_model((self.reference, self.twin)[side])
        return None if live else self._build(side, seed ^ 1)

    def arrays(self, seed: int) -> dict[str, np.ndarray]:
        """What both are fed with, as `arrange` takes it."""
        return dict(recipes.draw(self._nest, seed))

    def training_subject(self, seed: int | None = None, device: str = "cpu") -> TrainingSubject:
        """What `parity.steps.follow.follow` takes. Raises InputError where no training is declared, or it cannot be built."""
        if self.training is None:
            raise InputError(f"{self.title}: expected a pair with a training step, found none in it; add training=Training(...) "
                             f"(docs/port-your-own-model.md, and parity init writes an example)")
        return self.training.subject(title=self.title, names=self.names, layouts=self.layouts, sources=self.sources,
                                     seed=self.seed if seed is None else seed, device=device)

    def listing(self) -> Listing:
        """Which module and tensor of the twin is which of the reference. Raises InputError."""
        with naming(self.title):
            return listing((self._build(0, self.seed), self._build(1, self.seed)), FRAMEWORKS, self.layouts, self.names)

    @property
    def title(self) -> str:
        return self._read.title

    @property
    def pair(self) -> Pair:
        """The sources that are followed are the files of the classes that are not the frameworks' own layers."""
        return self._read.pair

    @property
    def _nest(self) -> dict[str, Any]:
        by_name = isinstance(self.inputs, Mapping)
        named = {**self.inputs, **self.keywords} if by_name else dict(self.keywords)
        return {"positional": () if by_name else tuple(self.inputs), "keyword": named}

    def arrange(self, side: int, tensors: Sequence[Any]) -> tuple[tuple, dict]:
        """Input tensors in order -> positional and keyword arguments of that side (0 the reference, 1 the twin)."""
        nest = self._nest
        places = recipes.places(nest)
        filled = recipes.fill(nest, dict(zip(places, tensors, strict=True)))
        named = filled["keyword"]
        return filled["positional"], {self.twin_keywords.get(name, name): value for name, value in named.items()} if side else named

    @cached_property
    def _read(self) -> _Read:
        """Both are built once to be looked at, and let go: they may be large."""
        models = [[self._build(0, self.seed)], [] if self.twin is None else [self._build(1, self.seed)]]
        title = self.name or type(models[0][0]).__name__
        reference, twin = (SourceTree(*files_of(built, FRAMEWORKS[side]), *self._builder_file(side), *self.sources)
                           for side, built in enumerate(models))
        return _Read(title, Pair(title, reference, twin, layouts=self.layouts, names=dict(self.names),
                                 elsewhere=self.twin is None), Built.of(models[0][0]))

    def _build(self, side: int, seed: int, *, run: bool = True) -> Any:
        """run: one that makes layers in its first forward is run once, for what it makes."""
        framework, given = FRAMEWORKS[side], (self.reference, self.twin)[side]
        what = ("reference", "twin")[side]
        if side and given is None:
            raise InputError("twin: it is None, so nothing can be run beside the reference here; record the reference, and the "
                             "twin where it runs, with parity_recorder.py (docs/old-environments.md)")
        live = framework.is_model(given)
        if not live:
            if not callable(given):
                raise InputError(f"{what}: expected a class, a function or a {framework.name} module, found {given!r}")
            name = f"{what} {getattr(given, '__name__', given)}"
            if _needs_arguments(given):
                raise InputError(f"{name}: cannot be built without arguments {inspect.signature(given)}; write a function without "
                                 f"arguments that builds it, in a pair file (parity init)")
            with (framework.building(), framework.seeded(seed),
                  refusing(name, _file_of(given), "it cannot be built", "call it alone to see more")):
                given = hand_on(given)
        if not framework.is_model(given):
            raise InputError(f"{what}: expected a {framework.module_class.__module__}.{framework.module_class.__name__}, found "
                             f"{type(given).__module__}.{type(given).__qualname__}; the PyTorch program comes first")
        opaque = next((path for path, module in framework.modules(given) if framework.is_opaque(module)), None)
        if opaque is not None:
            raise InputError(f"{what}: {opaque or type(given).__name__} is TorchScript, in which no layer and no line can be "
                             f"followed; hand over the module that it was made of")
        if shapeless := framework.shapeless(given):
            self._run_once(side, given, f"{what}: {shapeless[0]} takes its shape from the first input", seed)
        if run and not live and self._fed and makes_layers(framework.modules(given)):
            before = len(framework.parameters(given))
            try:
                self._run_once(side, given, what, seed)
            except InputError:  # for its first run to say
                before = len(framework.parameters(given))
            if len(framework.parameters(given)) == before:
                return self._build(side, seed, run=False)  # as it was
        return given

    @property
    def _fed(self) -> bool:
        return bool(self._nest["positional"] or self._nest["keyword"])

    def _run_once(self, side: int, model: Any, why: str, seed: int) -> None:
        """A forward in eval mode, for the shapes alone."""
        framework = FRAMEWORKS[side]
        if not self._fed:
            raise InputError(f"{why}, and no inputs are declared; declare them, or run the model once where it is built")
        tensors = [framework.tensor(array) for array in self.arrays(seed).values()]
        arguments, keywords = self.arrange(side, tensors)
        training = model.training
        model.eval()
        with framework.seeded(seed), refusing(why):
            hand_on(model, *arguments, **keywords)
        (model.train if training else model.eval)()

    def _builder_file(self, side: int) -> list[str]:
        """Where layers are built in a function of the user's (`lambda: Sequential(...)`), its file belongs to the sources."""
        code = code_of((self.reference, self.twin)[side])
        return [code.co_filename] if code is not None else []

    def _state(self, seed: int) -> dict[str, np.ndarray]:
        if self.weights is not None:
            return dict(self.weights)
        live = FRAMEWORKS[0].is_model(self.reference)  # the caller's own, which may have learnt something meanwhile
        return weights_of(self.reference, seed) if live else self._read.built.weights(seed)


@dataclass(frozen=True)
class _Read:
    """What a `Port` reads off its two modules."""

    title: str
    pair: Pair
    built: Built


def _file_of(build: Any) -> list[str]:
    """The file in which a class or function is written."""
    try:
        return [inspect.getfile(build)]
    except TypeError:
        return []


def _needs_arguments(build: Any) -> bool:
    try:
        inspect.signature(build).bind()
    except TypeError:
        return True
    except ValueError:
        return False
    return False


# --- from names on the command line to a pair --------------------------------------------------------------------------


def load(targets: Sequence[str], *, specified: Sequence[str] = (), fed: bool = True, **options: Any) -> Port:
    """The pair that the command line names: one target (a file, `file.py:name`, `module:name`) or two classes or builders.

    specified: inputs as `parity.declare.inputs.parse` reads them; options: fields of `Port`. Both replace those of a declared pair.
    fed: whether it will be run, and so needs some.
    Raises InputError.
    """
    read = [recipes.parse(text) for text in specified]
    if read:
        options |= {"inputs": [recipe for name, recipe in read if name is None],
                    "keywords": {name: recipe for name, recipe in read if name is not None}}
    if len(targets) == 1:
        port = _declared(targets[0])
        return Port(**{**{name: getattr(port, name) for name in Port.__dataclass_fields__}, **options})
    if len(targets) != 2:
        raise InputError(f"expected one pair file, or the PyTorch module and the Paddle module; found {len(targets)} names")
    if fed and not read:
        raise InputError(f"{' '.join(targets)}: nothing to feed them with; add --input SHAPE, one for each argument "
                         f"(--input 2,3,224,224)")
    return Port(*(_found(target) for target in targets), **options)


def reference_alone(target: str, *, specified: Sequence[str] = (), **options: Any) -> Port:
    """The reference of a pair whose twin runs elsewhere: of a declared `Port`, or a class or builder by itself, fed with what is
    specified. Raises InputError."""
    module_name, _, name = _split(target)
    found = _attribute(load_module(module_name), name, target) if name else _declared(target)
    if not isinstance(found, Port):
        if not specified:
            raise InputError(f"{target}: nothing to feed it with; add --input SHAPE, one for each argument (--input 2,3,224,224)")
        found = Port(found, None)
    if specified:
        read = [recipes.parse(text) for text in specified]
        options |= {"inputs": [recipe for name, recipe in read if name is None],
                    "keywords": {name: recipe for name, recipe in read if name is not None}}
    return replace(found, twin=None, **options)


def training(target: str, *, seed: int | None = None, device: str = "cpu") -> TrainingSubject:
    """The training that a pair file declares: of a `Port` in it, or a `Training` alone. Raises InputError."""
    return training_of(_declared(target, (Port, Training)), seed=seed, device=device)


def declares(target: str) -> tuple[str, bool]:
    """The title of what a pair file declares, and whether that has a training. Raises InputError."""
    found = _declared(target, (Port, Training))
    return (found.title, found.training is not None) if isinstance(found, Port) else ("training", True)


def training_of(declared: Port | Training, *, seed: int | None = None, device: str = "cpu") -> TrainingSubject:
    """What `parity.steps.follow.follow` takes. Raises InputError."""
    if isinstance(declared, Port):
        return declared.training_subject(seed, device)
    if isinstance(declared, Training):
        return declared.subject(seed=seed or 0, device=device)
    raise InputError(f"expected a parity.Port with a training, a parity.Training, or a file that declares one, found "
                     f"{type(declared).__qualname__}")


def _declared(target: str, kinds: tuple[type, ...] = (Port,)) -> Any:
    module_name, _, name = _split(target)
    module = load_module(module_name)
    if name:
        found = _attribute(module, name, target)
    else:
        declared = {name: value for name, value in vars(module).items() if isinstance(value, kinds)}
        if len(declared) != 1:
            raise InputError(f"{target}: expected one parity.port.Port in it, found {len(declared)}"
                             + (f"; name one: {target}:{next(iter(declared))}" if declared else "; parity init writes an example"))
        found = next(iter(declared.values()))
    if not isinstance(found, kinds):
        raise InputError(f"{target}: expected a parity.port.Port, found {type(found).__qualname__}; to compare two modules name "
                         f"both, the PyTorch one first")
    return found


def _found(target: str) -> Any:
    module_name, colon, name = _split(target)
    if not colon:
        raise InputError(f"{target}: expected module:Class or file.py:Class; which class is it?")
    return _attribute(load_module(module_name), name, target)


def _split(target: str) -> tuple[str, str, str]:
    module, colon, name = target.rpartition(":")
    return (module, colon, name) if colon else (target, "", "")


def _attribute(module: ModuleType, path: str, target: str) -> Any:
    found: Any = module
    for name in path.split("."):
        if not hasattr(found, name):
            known = ", ".join(sorted(n for n, v in vars(module).items() if not n.startswith("_") and callable(v)))
            raise InputError(f"{target}: there is no {name!r}; {module.__name__} has {known or 'no class or function'}")
        found = getattr(found, name)
    return found
