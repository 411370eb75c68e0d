"""What modules keep in an attribute beside their tensors: a mask made once, a table, a count of calls, a queue. Each run begins as
the first one did, in its own dtype."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from parity.frameworks.base import Framework

_NUMBERS = (bool, int, float, complex, str)
_CONTAINERS = (list, dict, set, deque)
_MISSING = object()


class _Kept(NamedTuple):
    """Of one module. empty: name -> whether it held nothing, in its attributes and in its buffers. plain: attribute -> its number
    or text. filled: attribute -> a container, and what was in it."""

    module: Any
    empty: list[dict[str, bool]]
    plain: dict[str, Any]
    filled: dict[str, tuple[Any, Any]]


class Memos:
    """The attributes of a model's modules as they are before its first run: those that hold nothing, or are not there, and those
    that hold numbers, texts and containers.

    Paddle makes a buffer of every tensor that is assigned to an attribute; torch has them where a program registers one late.
    """

    def __init__(self, framework: Framework, model: Any) -> None:
        self._framework = framework
        with framework.building():
            frameworks_own = vars(framework.module_class()).keys()  # `training`, hooks
        self._before = [_Kept(module, [{name: value is None for name, value in held.items()} for held in _held(module)],
                              {name: value for name, value in vars(module).items()
                               if type(value) in _NUMBERS and name not in frameworks_own},
                              {name: (value, value.copy()) for name, value in vars(module).items()
                               if type(value) in _CONTAINERS and name not in frameworks_own})
                        for _, module in framework.modules(model)]

    def clear(self) -> None:
        """Take out the tensors that a run has put there, and put back what was there."""
        for module, before, plain, filled in self._before:
            full = {name for names in before for name, empty in names.items() if not empty}
            for held, names in zip(_held(module), before, strict=True):
                for name in [name for name, value in held.items() if name not in full and self._holds_tensors(value)]:
                    del held[name]
                held.update(dict.fromkeys(name for name, empty in names.items() if empty and name not in held))
            attributes = vars(module)
            attributes.update({name: value for name, value in plain.items() if attributes.get(name, _MISSING) is not value})
            for name, (container, content) in filled.items():
                attributes[name] = container
                container.clear()
                (container.update if isinstance(container, (dict, set)) else container.extend)(content)

    def _holds_tensors(self, value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return bool(value) and all(map(self._holds_tensors, value))
        return self._framework.is_tensor(value)


def _held(module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its attributes and its buffers."""
    return vars(module), module._buffers
