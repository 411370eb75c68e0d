"""Where Paddle and torch are known to differ: each with a reproduction, its size, and an imitation in torch.

    python -m parity.differences > docs/differences.md

The registry needs both frameworks; they are loaded when it is first asked for, so that a program of one framework alone
can be recorded or examined where the other is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parity.differences.explaining import Compare, explain

if TYPE_CHECKING:
    from parity.differences.difference import Difference, Reproduction
    from parity.differences.imitation import Acted
    from parity.differences.registry import ALL, by_name

_HOMES = {"ALL": "registry", "by_name": "registry", "Difference": "difference", "Reproduction": "difference", "Acted": "imitation"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["ALL", "Acted", "Compare", "Difference", "Reproduction", "by_name", "explain"]
