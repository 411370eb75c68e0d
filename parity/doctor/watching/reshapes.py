"""Reshapes that give the axes another order: they renumber the elements, and move no axis."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers


class Reshapes:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        for owner, name in ((framework.tensor_class, "reshape"), (framework.tensor_class, "view"), (framework.root, "reshape")):
            wrappers.function(owner, name, self._reshape)

    def _reshape(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene, framework = self._scene, self._scene.framework
        result = original(*args, **kwargs)
        called_by = sys._getframe(2).f_code.co_filename  # behind the wrapper; a library knows what it reshapes
        if scene.current.close and called_by in scene.program.source and framework.is_tensor(result):
            (before, kind), (after, _) = framework.shape_dtype(args[0]), framework.shape_dtype(result)
            if kind.startswith(("float", "bfloat")) and (
                    _reordered(before, after) or _to_rows(before, after) or _to_heads(before, after) or _to_heads(after, before)):
                scene.current.renumbered.append((tuple(before), tuple(after), scene.site()))
        return result


def _reordered(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether these are the same axes in another order, axes of length 1 apart."""
    one, other = ([length for length in shape if length > 1] for shape in (before, after))
    return one != other and sorted(one) == sorted(other)


def _to_rows(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether an axis of channels, the second of several, is made the rows' own without having been moved to the end."""
    return len(before) > 2 == len(after) and 1 < after[1] == before[1] != before[-1] and before[-1] > 1


def _to_heads(flat: tuple[int, ...], split: tuple[int, ...]) -> bool:
    """Whether one has [batch, positions, features] and the other [batch, heads, positions, features of a head]: between them
    positions and heads have to be transposed, and are only renumbered."""
    if len(flat) != 3 or len(split) != 4 or flat[0] != split[0]:
        return False
    heads, positions, own = split[1:]
    return flat[1:] == (positions, heads * own) and heads != positions and min(heads, positions, own) > 1
