"""What modules compute once and keep in an attribute: a mask, a table of positions. Each run computes it anew, in its own dtype."""

from __future__ import annotations

from typing import Any

from parity.frameworks.base import Framework


class Memos:
    """The attributes of a model's modules that hold nothing before its first run, or are not there.

    Paddle makes a buffer of every tensor that is assigned to an attribute; torch has them where a program registers one late.
    """

    def __init__(self, framework: Framework, model: Any) -> None:
        self._framework = framework
        self._before = [(module, [{name: value is None for name, value in held.items()} for held in _held(module)])
                        for _, module in framework.modules(model)]

    def clear(self) -> None:
        """Take out the tensors that a run has put there."""
        for module, before in self._before:
            full = {name for names in before for name, empty in names.items() if not empty}
            for held, names in zip(_held(module), before, strict=True):
                for name in [name for name, value in held.items() if name not in full and self._holds_tensors(value)]:
                    del held[name]
                held.update(dict.fromkeys(name for name, empty in names.items() if empty and name not in held))

    def _holds_tensors(self, value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return bool(value) and all(map(self._holds_tensors, value))
        return self._framework.is_tensor(value)


def _held(module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its attributes and its buffers."""
    return vars(module), module._buffers
