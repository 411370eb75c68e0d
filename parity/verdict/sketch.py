"""What a picture of two values that diverged is drawn from, small enough to be kept with the finding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 32
SIDE = 64  # elements of a map, at most, either way
_LEAST = 8  # elements: of fewer the numbers themselves tell more


@dataclass(frozen=True)
class Sketch:
    """How two values of one shape are distributed and, where they have rows and columns, where they differ.

    low, high: the smallest and the largest finite number of both. reference, twin: how many elements lie in each of `BINS` equal
    bins between. maps: reference, twin and their distance, float64 of at most `SIDE` x `SIDE`, of the slice in which the two are
    farthest apart; None for values without rows and columns. Of what is larger, each element of a map is a mean, of the distance
    the largest. slice: the index of that slice.
    """

    low: float
    high: float
    reference: tuple[int, ...]
    twin: tuple[int, ...]
    maps: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    slice: tuple[int, ...] = ()

    def to_json(self) -> dict:
        return {"low": self.low, "high": self.high, "reference": list(self.reference), "twin": list(self.twin)}


def sketch(reference: np.ndarray, twin: np.ndarray, worst: tuple[int, ...] | None) -> Sketch | None:
    """Of two arrays; worst: the index at which they are farthest apart. None where there is nothing to draw: other shapes, few
    elements, no real numbers, one number throughout, or none that is finite."""
    if reference.shape != twin.shape or reference.size < _LEAST or any(a.dtype.kind not in "fiub" for a in (reference, twin)):
        return None
    reference, twin = (array.astype(np.float64) for array in (reference, twin))
    finite = [array[np.isfinite(array)] for array in (reference, twin)]
    ends = [(array.min(), array.max()) for array in finite if array.size]
    if not ends:
        return None
    low, high = float(min(end[0] for end in ends)), float(max(end[1] for end in ends))
    if not 0 < high - low < np.inf:
        return None
    counts = [tuple(np.histogram(array, BINS, (low, high))[0].tolist()) for array in finite]
    if worst is None or reference.ndim < 2 or min(reference.shape[-2:]) < _LEAST:
        return Sketch(low, high, *counts)
    ours, theirs = reference[worst[:-2]], twin[worst[:-2]]
    with np.errstate(invalid="ignore"):  # infinity less infinity
        maps = (_smaller(ours, np.mean), _smaller(theirs, np.mean), _smaller(np.abs(ours - theirs), np.max))
    return Sketch(low, high, *counts, maps, worst[:-2])


def _smaller(array: np.ndarray, of: np.ufunc) -> np.ndarray:
    """Blocks of it as one element each."""
    for axis in (0, 1):
        size = array.shape[axis]
        if size > SIDE:
            array = np.stack([of(block, axis) for block in np.array_split(array, SIDE, axis)], axis)
    return array
