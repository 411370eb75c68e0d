"""One value in two shapes: flattened here and not there, of one row that is added to all rows or of as many equal ones."""

from __future__ import annotations

import numpy as np

from parity.numbers.arrays import deviation


def reshaped_distance(reference: np.ndarray, twin: np.ndarray, *, summed: bool = False) -> float | None:
    """How far apart two arrays of other shapes are as one value; None where neither can be the other in another shape.

    Elements in the same order, or one array repeated along axes of the other. summed: of gradients, which add up along such axes.
    """
    if reference.size == twin.size:
        return deviation(reference.reshape(-1), twin.reshape(-1)).distance
    small, large = sorted((reference, twin), key=lambda array: array.size)
    if small.size == 0 or small.ndim > large.ndim:
        return None
    shape = (1,) * (large.ndim - small.ndim) + small.shape
    axes = tuple(axis for axis, (short, long) in enumerate(zip(shape, large.shape, strict=True)) if short != long)
    if any(shape[axis] != 1 for axis in axes):
        return None
    small = small.reshape(shape)
    if summed:
        return deviation(small, large.sum(axis=axes, keepdims=True, dtype=small.dtype)).distance
    return deviation(np.broadcast_to(small, large.shape), large).distance
