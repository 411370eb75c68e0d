"""What is kept of a value in place of its array, to know it again under another name: a few sums over it."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from parity.trace.events import Key

FEW = 8
"""Elements: of fewer, or of equal ones, many values are the same numbers by chance."""

ALIKE = 1e-7
"""Relative to what was summed: more than a float64 run's rounding and than constants in float32 (6e-8) leave, and far less than
sums of other numbers would agree to."""


class Print(NamedTuple):
    """Sums over an array, which no order of its elements changes, but for the last: `weighted` counts each by its place."""

    shape: tuple[int, ...]
    size: int
    total: float
    squares: float
    low: float
    high: float
    weighted: float

    def same_numbers(self, other: Print) -> bool:
        """Whether the two hold the same numbers, in whatever order."""
        near = self._near
        return (self.size == other.size and abs(self.low - other.low) <= near and abs(self.high - other.high) <= near
                and abs(self.total - other.total) <= near * math.sqrt(self.size)
                and abs(self.squares - other.squares) <= ALIKE * self.squares)

    def alike(self, other: Print) -> bool:
        """The same, and of one shape also at the same places."""
        placed = self.shape != other.shape or abs(self.weighted - other.weighted) <= self._near * math.sqrt(self.size)
        return placed and self.same_numbers(other)

    @property
    def _near(self) -> float:
        return ALIKE * max(abs(self.low), abs(self.high))


def print_of(array: np.ndarray | None) -> Print | None:
    """None of what could be anything: few numbers, equal ones, those that are no floats, or not finite."""
    if array is None or array.dtype.kind != "f" or array.size < FEW:
        return None
    flat = array.astype(np.float64, copy=False).reshape(-1)
    low, high = float(flat.min()), float(flat.max())
    if not np.isfinite([low, high]).all() or low == high:
        return None
    return Print(array.shape, array.size, float(flat.sum()), float(flat @ flat), low, high, float(flat @ _weights(array.size)))


@functools.lru_cache(maxsize=16)
def _weights(size: int) -> np.ndarray:
    """Of a place its sine: no two places count alike."""
    return np.sin(np.arange(1, size + 1))


def is_printed(key: Key) -> bool:
    """Whether its value is looked for under other names: what a forward computes."""
    return key.stage in ("forward", "losses")
