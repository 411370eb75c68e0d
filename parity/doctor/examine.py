"""`parity doctor module:function`: find the step and what it trains, run it under watch."""

from __future__ import annotations

import functools
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from parity.doctor.finding import Finding
from parity.doctor.moment import Moment, Moments
from parity.doctor.places import user_source
from parity.doctor.raised import explain
from parity.doctor.session import Diagnosis, Doctor
from parity.files import InputError
from parity.trace.source import ConstructionSites, SourceTree

MOMENT = 4  # a copy of the training's state is taken at each such iteration of those that are not watched closely
FIRST = 3  # state faults show by then; without one the course of the loss is watched on


def examine(target: str | Callable, *, iterations: int = 20, expect: Sequence[str] = (), source: SourceTree | None = None,
            progress: Callable[[int], None] | None = None, repeat: bool = True) -> Diagnosis:
    """Run `iterations` training steps under watch (fewer where an error is found at once).

    target: "module:function" (or the function): it runs one step and takes no arguments, or builds everything and returns
    such a function; or "module:pair" or "file.py:pair", which declares a training of both sides (`parity.declare.port.Port` with a
    training, `parity.declare.training.Training`, `parity.declare.pair.TrainingSubject`): its twin is held beside its reference.
    Networks and optimizers are found among the function's globals, closure and `self`.
    repeat: where a later iteration, not watched closely, shows a NaN, it is run a second time for the line that made it. For
    that a copy of weights, gradients and the optimizers' memory is held, from the third iteration on.
    Raises InputError where there is no such function, or it trains nothing; and what ended the watch, where it failed itself.
    """
    constructions = ConstructionSites()
    with _watching(constructions, source):
        function = _loaded(target) if isinstance(target, str) else target
        subject = _declared(function)
        if subject is not None:
            from parity.doctor.reference import diagnose_beside
            return diagnose_beside(subject, steps=min(iterations, FIRST), expect=expect)
        models, optimizers = found_in(function)
        if not models:
            try:
                made = function()
            except Exception as error:
                return Diagnosis((explain(error, source=source),), 0)
            if not callable(made):
                raise InputError(
                    f"{target}: expected a function that runs one step, or one that builds the training and returns its "
                    f"step; no network is in its reach, and it returned {type(made).__name__}"
                )
            function = made
            models, optimizers = found_in(function)
    if not models:
        raise InputError(
            f"{target}: no network in reach of the step; keep networks and optimizers as globals, attributes of `self`, or in "
            f"the closure of the step"
        )
    if source is None:
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        source = user_source([code.co_filename] if code else [], models.values())
    doctor = Doctor(models, optimizers, expect=expect, source=source, constructions=constructions).start(None)
    moments, moment, since = Moments(doctor.program, function), None, 0
    try:
        for number in range(1, iterations + 1):
            close = doctor.close
            if repeat and not close and (moment is None or number - since >= MOMENT):
                moment, since = moments.before_step(), number
            doctor.mark()
            if progress:
                progress(number)
            try:
                function()
            except Exception as error:
                doctor.note_error(error)
                break
            doctor.end()
            odd = doctor.close and not close
            if odd and moment is not None:
                _repeat(function, doctor, moment, number - since + 1, moments.now)
            if (number == FIRST or odd) and doctor.diagnose().errors:
                break
    finally:
        moments.close()
        doctor.stop()
    if doctor.failure is not None:
        raise doctor.failure
    return doctor.diagnose()


def _repeat(function: Callable[[], Any], doctor: Doctor, moment: Moment, count: int, now: Callable[[], Moment]) -> None:
    """Run the latest iterations again, for the line of what was odd in them; then put the training back to where it had come.

    count: so many lie after the moment. What was seen in the latest may have begun before it.
    """
    after = now()
    moment.put_back()
    with suppress(Exception):
        for back in range(count, 0, -1):
            with doctor.again(back):
                function()
            if doctor.placed(back):
                break
    after.put_back()


def versions() -> dict[str, str]:
    """What ran."""
    held = {"paddle-parity": "paddle-parity", "torch": "torch", "paddle": "paddle", "numpy": "numpy"}
    found = {name: getattr(sys.modules.get(package), "__version__", None) for name, package in held.items()}
    return {**{name: version for name, version in found.items() if version}, "python": platform.python_version()}


def _declared(value: Any) -> Any | None:
    """The training of two sides that it declares (`TrainingSubject`), if it is such a thing. Raises InputError."""
    kinds = [getattr(sys.modules.get(module), name, ()) for module, name in (
        ("parity.declare.pair", "TrainingSubject"), ("parity.declare.port", "Port"), ("parity.declare.training", "Training"))]
    if isinstance(value, kinds[0]):
        return value
    if isinstance(value, kinds[1]):
        return value.training_subject()
    return value.subject() if isinstance(value, kinds[2]) else None


def _loaded(target: str) -> Callable:
    found = _reached(target)
    if not callable(found) and _declared(found) is None:
        raise InputError(f"{target}: expected a function, found {type(found).__name__}")
    return found


def _reached(target: str) -> Any:
    name, _, path = target.partition(":")
    if not path:
        raise InputError(f"{target}: expected module:function, as in train:step")
    from parity.declare.loader import load  # not at the top: what a file declares may need both frameworks
    return _attribute(load(name), name, path, target)


def _attribute(found: Any, name: str, path: str, target: str) -> Any:
    for part in path.split("."):
        if not hasattr(found, part):
            raise InputError(f"{target}: {name} has no {path}")
        found = getattr(found, part)
    return found


def found_in(function: Callable) -> tuple[dict[str, Any], dict[str, Any]]:
    """Networks and optimizers in reach of a function, by the names that it knows them by; parts of other networks left out."""
    models: dict[str, Any] = {}
    optimizers: dict[str, Any] = {}
    for name, value, twice in _reach(function):
        held, is_kind = (models, "model") if _is(value, "model") else (optimizers, "optimizer")
        if _is(value, is_kind) and (twice or not any(value is other for other in held.values())):
            held[name] = value
    parts = {id(module) for model in models.values() for module in _below(model)}
    return {name: model for name, model in models.items() if id(model) not in parts and _parameters(model)}, optimizers


def scopes_of(function: Callable) -> Iterator[tuple[dict[str, Any], Callable[[str, Any], None]]]:
    """What a step keeps for itself: (names and values, how to put one back) of its object, and of the closures of the step and
    of the functions in them."""
    owner = getattr(function, "__self__", None)
    if hasattr(owner, "__dict__"):
        yield vars(owner), functools.partial(setattr, owner)
    waiting, seen = [getattr(function, "__func__", function)], set()
    while waiting:
        one = waiting.pop(0)
        code = getattr(one, "__code__", None)
        if code is None or id(one) in seen:
            continue
        seen.add(id(one))
        cells = {name: cell for name, cell in zip(code.co_freevars, one.__closure__ or (), strict=True) if _filled(cell)}
        yield ({name: cell.cell_contents for name, cell in cells.items()},
               lambda name, value, cells=cells: setattr(cells[name], "cell_contents", value))
        waiting += [cell.cell_contents for cell in cells.values()]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 (raises where the variable has no value yet)
    except ValueError:
        return False
    return True


def _reach(function: Callable) -> Iterator[tuple[str, Any, bool]]:
    """(name, object, whether the same dict has it under two names: one network where two were meant)."""
    scopes = [scope for scope, _ in scopes_of(function)]
    scopes.append(getattr(getattr(function, "__func__", function), "__globals__", {}))
    for scope in scopes:
        for name, value in list(scope.items()):
            if name.startswith("__") or isinstance(value, type):
                continue
            yield name, value, False
            inner = value if isinstance(value, dict) else getattr(value, "__dict__", {})
            if isinstance(value, (list, tuple)):
                inner = {f"{name}[{index}]": item for index, item in enumerate(value)}
            if (not _is(value, "model") and not _is(value, "optimizer") and not callable(value)) or isinstance(value, dict):
                yield from _inside(inner, isinstance(value, dict))



def _inside(held: dict[str, Any], plain: bool) -> Iterator[tuple[str, Any, bool]]:
    for key, item in list(held.items())[:1000]:
        yield str(key), item, plain and sum(item is other for other in held.values()) > 1
        if isinstance(item, dict) and not plain:  # `networks` of a training object
            yield from _inside(item, True)


def _is(value: Any, what: str) -> bool:
    """Whether something is a model or an optimizer of a framework that has been imported."""
    names = {"model": (("torch", "nn", "Module"), ("paddle", "nn", "Layer")),
             "optimizer": (("torch", "optim", "Optimizer"), ("paddle", "optimizer", "Optimizer"))}[what]
    for package, part, name in names:
        if package in sys.modules:
            kind = getattr(getattr(sys.modules[package], part, None), name, None)
            if kind is not None and isinstance(value, kind):
                return True
    return False


def _below(model: Any) -> Iterator[Any]:
    modules = model.modules() if hasattr(model, "modules") else model.sublayers()
    return (module for module in modules if module is not model)


def _parameters(model: Any) -> bool:
    return any(True for _ in model.parameters())


class _watching:
    """Notes where networks and optimizers are built, of whichever framework the user's module imports."""

    def __init__(self, constructions: ConstructionSites, source: SourceTree | None) -> None:
        self._constructions, self._source = constructions, source
        self._stack = ExitStack()

    def __enter__(self) -> None:
        from parity.doctor.places import UserFiles
        from parity.frameworks import loadable
        for framework in loadable():
            for kind in (framework.module_class, framework.optimizer_class):
                self._stack.enter_context(self._constructions.watch(kind, self._source or UserFiles()))

    def __exit__(self, *error: Any) -> None:
        self._stack.close()


__all__ = ["Finding", "examine", "found_in"]
