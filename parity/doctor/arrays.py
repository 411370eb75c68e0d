"""Small numbers taken from large arrays, read-only: norms, checksums, samples."""

from __future__ import annotations

import math
import zlib

import numpy as np

SAMPLE = 4096


def pulse(array: np.ndarray) -> float:
    """The sum of squares: 0 for zeros only, not finite where an element is not. (The caller holds back numpy's warnings.)"""
    flat = array.ravel()
    if flat.dtype.kind != "f":
        flat = flat.astype(np.float64)
    value = float(np.dot(flat, flat))
    if value == 0 and flat.any():  # all squares underflow
        value = float(np.abs(flat).max()) or 5e-324
    if np.isinf(value) and np.isfinite(flat).all():
        wide = flat.astype(np.float64)
        value = float(np.dot(wide, wide))
    return value


def checksum(array: np.ndarray) -> int:
    """Of the bytes: a sum of words, an order of magnitude faster than a CRC. Equal bytes, equal sums."""
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = flat.size // 8 * 8
    total = int(np.add.reduce(flat[:whole].view(np.uint64))) if whole else 0
    return total ^ zlib.crc32(flat[whole:].data)


def sample(array: np.ndarray) -> np.ndarray:
    """At most `SAMPLE` elements, evenly spread, copied."""
    flat = array.ravel()
    return flat[::max(1, flat.size // SAMPLE)].astype(np.float64)


def spread(array: np.ndarray) -> np.ndarray:
    """Elements from all over a large array, to count by: an odd stride does not fall in step with rows and channels."""
    flat = array.ravel()
    return flat[::flat.size // SAMPLE | 1]


def is_finite(array: np.ndarray) -> bool:
    """Whether all elements are, at the price of one dot product in the ordinary case."""
    if array.dtype.kind != "f":
        return True
    flat = array.ravel()
    with np.errstate(all="ignore"):  # squares may overflow where values do not
        return math.isfinite(np.dot(flat, flat)) or bool(np.isfinite(flat).all())


def digest(array: np.ndarray) -> int:
    """Of the values in their order (`checksum` does not see a permutation): what tells one batch from another."""
    return zlib.crc32(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)
