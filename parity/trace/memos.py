"""What programs keep beside their weights: a mask made once, a table, a count of calls, a queue, the results of a function. Each
run begins as the first one did, in its own dtype."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from parity.frameworks.base import Framework
from parity.trace.source import SourceTree

_NUMBERS = (bool, int, float, complex, str)
_CONTAINERS = (list, dict, set, deque)


class _Kept(NamedTuple):
    """Of one module. empty: name -> whether it held nothing, in its attributes and in its buffers. plain: attribute -> its number
    or text. filled: attribute -> a container, and what was in it. tensors: attribute -> a tensor that is no buffer, and a
    copy of it."""

    module: Any
    empty: list[dict[str, bool]]
    plain: dict[str, Any]
    filled: dict[str, tuple[Any, Any]]
    tensors: dict[str, tuple[Any, Any]]


class Memos:
    """The attributes of a model's modules as they are before its first run: those that hold nothing, or are not there, and those
    that hold numbers, texts and containers.

    Paddle makes a buffer of every tensor that is assigned to an attribute; torch has them where a program registers one late.
    """

    def __init__(self, framework: Framework, model: Any) -> None:
        self._framework = framework
        self._before = [_Kept(module, [{name: value is None for name, value in held.items()} for held in _held(module)],
                              {name: value for name, value in own.items() if type(value) in _NUMBERS},
                              {name: (value, value.copy()) for name, value in own.items() if type(value) in _CONTAINERS},
                              {name: (value, framework.clone(value)) for name, value in own.items()
                               if framework.is_tensor(value) and not framework.requires_grad(value)})
                        for _, module, own in _attributes(framework, model)]

    def clear(self) -> None:
        """Take out the tensors that a run has put there, and put back what was there. A buffer that a run has left its graph in (a
        state that goes on without `detach`) is one without: that graph is gone."""
        for module, before, plain, filled, tensors in self._before:
            for name, buffer in module._buffers.items():
                if buffer is not None and self._framework.requires_grad(buffer):
                    module._buffers[name] = self._framework.detached(buffer)
            full = {name for names in before for name, empty in names.items() if not empty}
            for held, names in zip(_held(module), before, strict=True):
                for name in [name for name, value in held.items() if name not in full and _holds_tensors(self._framework, value)]:
                    del held[name]
                held.update(dict.fromkeys(name for name, empty in names.items() if empty and name not in held))
            attributes = vars(module)
            attributes.update(plain)
            for name, (tensor, copy) in tensors.items():
                attributes[name] = tensor if self._are_equal(tensor, copy) else self._framework.clone(copy)
            for name, (container, content) in filled.items():
                attributes[name] = container
                container.clear()
                (container.update if isinstance(container, (dict, set)) else container.extend)(content)

    def _are_equal(self, one: Any, other: Any) -> bool:
        return np.array_equal(self._framework.array(one, copy=False), self._framework.array(other, copy=False))


def plain_of(framework: Framework, model: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(full name, value, the attributes that hold it) of what its modules keep beside weights and buffers: a count, a queue, a
    hidden state."""
    for path, module, own in _attributes(framework, model):
        for name, value in own.items():
            if framework.is_plain(value):
                yield f"{path}.{name}".lstrip("."), value, vars(module)


def _attributes(framework: Framework, model: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(path, module, its attributes that not every module has)."""
    for path, module in framework.modules(model):
        yield path, module, {name: value for name, value in vars(module).items() if name not in framework.attributes_of_all}


class Caches:
    """What the user's files keep beside any module: results of functions under `functools.cache`, tensors in dicts."""

    def __init__(self, framework: Framework, source: SourceTree) -> None:
        self._framework = framework
        owners = [module for module in source.modules() if module.__name__ != "__main__"]  # what a session holds is the user's
        owners += [value for module in owners for value in vars(module).values()
                   if isinstance(value, type) and value.__module__ == module.__name__]
        held = {id(value): value for owner in owners for name, value in vars(owner).items() if not name.startswith("__")}
        plain = [getattr(value, "__func__", value) for value in held.values()]  # of static methods
        self._functions = [value for value in plain if isinstance(value, functools._lru_cache_wrapper)]
        self._dicts = [(value, set(value)) for value in held.values() if type(value) is dict]

    def clear(self) -> None:
        for function in self._functions:
            function.cache_clear()
        for held, before in self._dicts:
            for key in [key for key, value in held.items() if key not in before and _holds_tensors(self._framework, value)]:
                del held[key]


def _holds_tensors(framework: Framework, value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return bool(value) and all(_holds_tensors(framework, one) for one in value)
    return framework.is_tensor(value)


def _held(module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its attributes and its buffers."""
    return vars(module), module._buffers
