"""What a training step can reach: the networks and optimizers of its globals, its closure and its object."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from parity.blame import is_installed


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


def kept_by(function: Callable) -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
    """(name, value, how to put one back) of what a step keeps: of its scopes, and of the user's own objects in them, as a pool of
    pictures: "pool.images". Networks and optimizers are not looked into."""
    seen = {id(getattr(function, "__self__", None))}
    for scope, put in scopes_of(function):
        for name, value in list(scope.items()):
            yield name, value, functools.partial(put, name)
            yield from _in_objects(name, value, seen)


def _in_objects(path: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
    if isinstance(value, (dict, list, tuple)):
        named = ([(f"{path}.{key}", item) for key, item in value.items()] if isinstance(value, dict) else
                 [(f"{path}[{index}]", item) for index, item in enumerate(value)])
        for name, item in named[:1000]:
            yield from _in_objects(name, item, seen)
    elif is_users_object(value) and id(value) not in seen:
        seen.add(id(value))
        for name, item in list(vars(value).items()):
            yield f"{path}.{name}", item, functools.partial(vars(value).__setitem__, name)
            yield from _in_objects(f"{path}.{name}", item, seen)


def is_users_object(value: Any) -> bool:
    """Whether it is of a class that the user wrote, and neither a network nor an optimizer."""
    if isinstance(value, type) or not hasattr(value, "__dict__") or _is(value, "model") or _is(value, "optimizer"):
        return False
    module = type(value).__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    return module == "__main__" or (file is not None and not is_installed(file)
                                    and module.partition(".")[0] not in sys.stdlib_module_names)


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
