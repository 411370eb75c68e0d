"""Masks that are added to scores before a softmax: -1e4 here and the lowest number there is there hide the same."""

from __future__ import annotations

import math

import numpy as np

HIDDEN = 746.0
"""By how much a score is below the largest of its row where its softmax is 0, in float64 as in less: exp(-746) is."""


LEVEL = 0.01
"""Relative to what hides: that is one number, but for what it is added to, and all else is next to nothing beside it."""


def hide_the_same(ours: np.ndarray | None, theirs: np.ndarray | None) -> bool:
    """Whether two arrays are masks that differ only in what both hide: in elements of one large negative number each, so far below
    the largest of their row (the last axis) that nothing is left of them in a softmax. Of a row that is hidden as a whole the
    largest is not. One of the two may be repeated for each head, which the other leaves to broadcasting."""
    if ours is None or theirs is None or not ours.ndim or not ours.size or ours.shape[-1] < 2:
        return False
    if ours.shape != theirs.shape:
        few, many = (ours, theirs) if ours.size < theirs.size else (theirs, ours)
        repeated = _for_each_head(few, many.shape)
        return repeated is not None and hide_the_same(repeated, many)
    if ours.dtype.kind != "f" or not float(ours.max()) - float(ours.min()) > HIDDEN:
        return False  # it hides nothing, as nearly everything that is asked about
    if theirs.dtype.kind != "f" or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return False
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    with np.errstate(over="ignore"):
        hidden = [array < array.max(-1, keepdims=True) - HIDDEN for array in (ours, theirs)]
        near = np.abs(ours - theirs) <= 1e-5 * np.abs(ours)
    if not ((hidden[0] == hidden[1]).all() and hidden[0].any() and (near | hidden[0]).all()):
        return False
    return all(_has_two_levels(array, hidden[0]) for array in (ours, theirs))


def _for_each_head(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """A mask (batch, 1, queries, keys) as (batch, heads, queries, keys), or with the first two in one; None where that does not
    give the shape."""
    if mask.ndim != 4 or mask.shape[1] != 1 or mask.shape[2:] != shape[-2:] or math.prod(shape) % mask.size:
        return None
    heads = math.prod(shape) // mask.size
    whole = (mask.shape[0], heads, *mask.shape[2:])
    if shape not in (whole, (mask.shape[0] * heads, *mask.shape[2:])):
        return None
    return np.broadcast_to(mask, whole).reshape(shape)


def _has_two_levels(array: np.ndarray, hidden: np.ndarray) -> bool:
    low, high = array[hidden].min(), array[hidden].max()
    return bool(high < 0 and high - low <= LEVEL * -low and np.abs(array[~hidden]).max() <= LEVEL * -low)
