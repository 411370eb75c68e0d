"""An unchanged script under watch: `parity doctor train.py --epochs 3`.

The script runs as `python train.py --epochs 3` does. Where one of its networks that an optimizer trains is first called in train
mode, it is known what trains what, and the watch begins; after so many iterations it ends, and the script goes on alone: until it
trains what it has not trained before (a student after its teacher, a second stage), which is watched as well.
"""

from __future__ import annotations

import ast
import functools
import runpy
import sys
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from parity.doctor.afterwards import Afterwards
from parity.doctor.diagnosis import Diagnosis
from parity.doctor.loads import Loads
from parity.doctor.places import UserFiles, name_in
from parity.doctor.program import Program
from parity.doctor.session import Doctor
from parity.files import InputError
from parity.frameworks import Framework, loadable
from parity.messages import Message, say, some
from parity.trace.source import ConstructionSites, Site

MOST = 3  # trainings of one script that are watched: folds and seeds are the same program again
_FOLLOWED = 500  # files of the script's own that are read for what they import


class Enough(BaseException):
    """The script has been watched long enough; raised in it where it is to stop then."""


class Watched:
    """What became of a script. diagnosis: None where nothing was trained. said: what was watched. error: what it raised."""

    def __init__(self, diagnosis: Diagnosis | None, said: Message | None, error: BaseException | None) -> None:
        self.diagnosis, self.said, self.error = diagnosis, said, error


def diagnose_script(path: str, arguments: Sequence[str] = (), *, iterations: int = 20, expect: Sequence[str] = (),
                    stop: bool = False) -> Watched:
    """Run the script under watch for that many training iterations; to its end, or (stop) until then.

    What the script prints and writes is its own; what it raises, and `sys.exit`, end it and are told of. Raises InputError: there
    is no such file, or it has to do with neither framework; and what ended the watch, where it failed itself.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{path}: expected a Python script, there is none")
    named = _imported(file)
    frameworks = list(loadable(named))
    if not frameworks:
        raise InputError(f"{path}: expected a training in torch or Paddle; neither it nor the files beside it import one of them "
                         f"that is installed")
    attached = _Attached(iterations, expect, stop, UserFiles(file.resolve().parent))
    error: BaseException | None = None
    over = False
    with ExitStack() as stack:
        for framework in frameworks:
            stack.enter_context(attached.to(framework))
        stack.enter_context(_as_main(file, arguments))
        try:
            runpy.run_path(str(file), run_name="__main__")
            over = True
        except Enough:
            pass
        except SystemExit as leaving:
            error = leaving if leaving.code not in (None, 0) else None
        except Exception as raised:
            error = raised
            traceback.print_exc()
            attached.note(raised)
        attached.end(over)
    if not attached.doctors:
        return Watched(None, None, error)
    for doctor in attached.doctors:
        if doctor.failure is not None:
            raise doctor.failure
    return Watched(functools.reduce(Diagnosis.__add__, (doctor.diagnose() for doctor in attached.doctors)), attached.said(), error)


class _Attached:
    """The networks and optimizers that a script makes, and the doctors around them once they work: one for each training."""

    def __init__(self, iterations: int, expect: Sequence[str], stop: bool, source: UserFiles) -> None:
        self.doctors: list[Doctor] = []
        self._trained: set[int] = set()  # ids of what optimizers have stepped upon in trainings that were watched
        self._stepped: set[int] = set()  # ids of those optimizers
        self._known: set[tuple[int, str]] = set()  # (id, dtype) of all parameters of the networks in them
        self._iterations, self._expect, self._stop, self._source = iterations, expect, stop, source
        self._constructions = ConstructionSites()
        self._modules: list[weakref.ref] = []
        self._optimizers: list[weakref.ref] = []
        self._held: set[int] = set()  # ids of what optimizers were made with
        self._asleep = False  # a network has run in eval mode, with gradients on, before anything was watched
        self._trained_asleep = False  # ... and a backward came of it: the watch waits for train mode no longer
        self._afterwards = Afterwards(self._site, self._name, self.doctors)
        self._loads = Loads(self._site, self._name, self.doctors)

    @contextmanager
    def to(self, framework: Framework) -> Iterator[None]:
        with ExitStack() as stack:
            makers = (framework.module_class, self._modules), *((kind, self._optimizers) for kind in framework.optimizer_makers)
            for kind, made in makers:
                stack.enter_context(self._constructions.watch(kind, self._source))
                stack.enter_context(_replaced(kind, "__init__", lambda original, made=made: _noting(original, made)))
            for kind in framework.optimizer_makers:
                stack.enter_context(_replaced(kind, "__init__", lambda original: self._noting_held(framework, original)))
            stack.enter_context(_replaced(framework.module_class, "__call__",
                                          lambda original: self._calling(framework, original)))
            stack.enter_context(_replaced(framework.functional, "dropout", self._afterwards.dropout))
            for owner, name in framework.backward_functions:
                stack.enter_context(_replaced(owner, name, lambda original: self._afterwards.backward(framework, original)))
                stack.enter_context(_replaced(owner, name, self._noting_backward))
            for method, made_of in self._loads.stand_ins(framework).items():
                stack.enter_context(_replaced(framework.module_class, method, made_of))
            yield

    def note(self, error: Exception) -> None:
        if self.doctors and not self.doctors[-1].enough:
            self.doctors[-1].note_error(error)

    def end(self, over: bool) -> None:
        """over: the script has come to its end."""
        for doctor in reversed(self.doctors):
            doctor.stop()
            doctor.program.held_elsewhere |= self._held
            doctor.note_end(over, self._afterwards.ran)
        if self.doctors:
            self.doctors[0].note(*self._loads.findings, *self._afterwards.findings)

    def said(self) -> Message:
        """What was watched, and what a watch cannot see."""
        iterations, steps, backwards = map(sum, zip(*(doctor.seen for doctor in self.doctors), strict=True))
        networks = [name for doctor in self.doctors for name in doctor.program.models]
        optimizers = [name for doctor in self.doctors for name in doctor.program.optimizers]
        return say("watched: {iterations} iterations, {steps} optimizer steps, {backwards} backwards; networks: {networks}; "
                   "optimizers: {optimizers}. Not seen: whether the data mean what they should, and what comes later",
                   iterations=iterations, steps=steps, backwards=backwards, networks=some(networks), optimizers=some(optimizers))

    def _calling(self, framework: Framework, original: Callable) -> Callable:
        def call(module: Any, *args: Any, **kwargs: Any) -> Any:
            self._loads.forwards += framework.grad_enabled()
            self._asleep |= not self.doctors and framework.grad_enabled() and not module.training
            if self._free and framework.grad_enabled() and self._begin(framework, module):
                return framework.module_class.__call__(module, *args, **kwargs)  # the doctor stands around it now
            return self._afterwards.call(framework, original, module, args, kwargs)
        return call

    def _noting_held(self, framework: Framework, original: Callable) -> Callable:
        def init(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            if not Program.iterator_left(optimizer):
                self._held |= {id(p) for p in framework.optimizer_parameters(optimizer)}
        return init

    def _noting_backward(self, original: Callable) -> Callable:
        @functools.wraps(original)
        def backward(*args: Any, **kwargs: Any) -> Any:
            self._trained_asleep |= self._asleep and not self.doctors
            return original(*args, **kwargs)
        return backward

    @property
    def _free(self) -> bool:
        """Whether nothing is watched, and something still may be."""
        return not self.doctors or (len(self.doctors) < MOST and self.doctors[-1].enough)

    def _begin(self, framework: Framework, module: Any) -> bool:
        """Whether a watch begins with this call: in train mode, of a network, or a part of one, that an optimizer holds parameters
        of (in eval mode, where a training has begun so); or, where no optimizer holds any network's, of one that lends its output
        to train something else (a picture)."""
        if self.doctors and (not module.training or not self._note_trained(framework)):
            return False
        optimizers = [one for ref in self._optimizers if (one := ref()) is not None and framework.is_optimizer(one)]
        known = not any(map(Program.iterator_left, optimizers))
        if known:
            made = [one for one in optimizers if id(one) not in self._stepped]
            optimizers = next((new for some in (made, optimizers) if (
                new := [one for one in some if self._is_new(framework, one, module)])), [])
        held = {id(p) for optimizer in optimizers for p in framework.optimizer_parameters(optimizer)} if known else None
        if not optimizers:
            return False
        modules = [one for ref in self._modules if (one := ref()) is not None and framework.is_model(one)]
        mine = [one for one in modules if held is None or any(id(p) in held for p in one.parameters())]
        if mine or self.doctors:
            mine_is_called = held is None or any(id(p) in held for p in module.parameters())
            if not (module.training or self._trained_asleep) or not mine_is_called:
                return False
            modules = mine
        else:
            modules = [module]
        parts = {id(part) for one in modules for part in _below(framework, one)}
        frame = self._user_frame()
        models = _named([one for one in modules if id(one) not in parts], frame)
        if not models:
            return False
        if self.doctors:
            self.doctors[-1].stop()
        self.doctors.append(Doctor(models, _named(optimizers, frame), expect=self._expect, source=self._source,
                                   constructions=self._constructions, most=self._iterations, at_end=self._enough))
        self.doctors[-1].start(frame)
        return True

    def _note_trained(self, framework: Framework) -> bool:
        """What the latest training that was watched has stepped upon; whether there is anything."""
        program = self.doctors[-1].program
        self._trained |= {id(p) for name in self.doctors[-1].stepped for p in program.held[name]}
        return bool(self._trained)

    def _is_new(self, framework: Framework, optimizer: Any, module: Any) -> bool:
        """Whether it holds anything that no training has stepped upon that was watched; or a part of this network, which has got
        other parts since (a head that was replaced) or another dtype."""
        held = set(map(id, framework.optimizer_parameters(optimizer)))
        parameters = {id(p): ((id(p), framework.shape_dtype(p)[1]), framework.requires_grad(p)) for p in module.parameters()}
        replaced = parameters.keys() & held and any(
            trainable and key not in self._known for key, trainable in parameters.values())
        return not self._trained or bool(held - self._trained or replaced)

    def _enough(self) -> None:
        program = self.doctors[-1].program
        self._stepped |= set(map(id, program.optimizers.values()))
        self._known |= {(key, program.framework.shape_dtype(program.parameters[name])[1]) for key, name in program.names.items()}
        if self._stop:
            raise Enough

    def _site(self) -> Site | None:
        return self._source.site(sys._getframe(1))

    def _name(self, network: Any) -> str:
        return next(iter(_named([network], self._user_frame())))

    def _user_frame(self) -> FrameType | None:
        return self._source.innermost(sys._getframe(1))


def _noting(original: Callable, made: list[weakref.ref]) -> Callable:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        made.append(weakref.ref(self))
    return init


@contextmanager
def _replaced(owner: type, name: str, made_of: Callable[[Callable], Callable]) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, made_of(original))
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def _as_main(file: Path, arguments: Sequence[str]) -> Iterator[None]:
    """`sys.argv` and the first place of `sys.path` as Python itself sets them for a script."""
    argv, first = sys.argv, sys.path[0]
    sys.argv, sys.path[0] = [str(file), *arguments], str(file.resolve().parent)
    try:
        yield
    finally:
        sys.argv, sys.path[0] = argv, first


def _below(framework: Framework, model: Any) -> Iterator[Any]:
    return (part for path, part in framework.modules(model) if path)


def _named(things: Sequence[Any], frame: FrameType | None) -> dict[str, Any]:
    """By what the nearest function of the user's calls each, else by its class."""
    named: dict[str, Any] = {}
    for thing in things:
        name, here = None, frame
        while here is not None and name is None:
            name, here = name_in(here, thing), here.f_back
        name = name or type(thing).__name__.lower()
        while name in named:
            name += "'"
        named[name] = thing
    return named


def _imported(script: Path) -> set[str]:
    """Top-level names that the script, or a file beside it that it imports, imports."""
    folder, names = script.resolve().parent, set()
    waiting, seen = [script.resolve()], set()
    while waiting and len(seen) < _FOLLOWED:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                asked = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                asked = [node.module or "", *(f"{node.module or ''}.{alias.name}".strip(".") for alias in node.names)]
            else:
                continue
            relative = isinstance(node, ast.ImportFrom) and node.level
            names |= set() if relative else {name.partition(".")[0] for name in asked}
            waiting += _modules_below(file.parent if relative else folder, asked)
    return names


def _modules_below(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files of these dotted names, of those that lie there."""
    places = [folder.joinpath(*name.split(".")) for name in names if name]
    return [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
