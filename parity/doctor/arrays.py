"""Small numbers taken from large arrays, read-only: norms, checksums, samples."""

from __future__ import annotations

import math
import zlib

import numpy as np

SAMPLE = 4096
_ROW = 4096  # bytes


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
    """Of the bytes: a CRC of the sums of 512 columns of words, where there are as many; an order of magnitude faster than a CRC.

    One sum of all words would not do: Adam's first step moves half the elements of a constant parameter up and half of them
    down by the same number of ulps, and the sum stays as it was (for 8 elements in one case of seven).
    """
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = flat.size // _ROW * _ROW
    columns = np.add.reduce(flat[:whole].view(np.uint64).reshape(-1, _ROW // 8)) if whole else b""
    return zlib.crc32(flat[whole:].data, zlib.crc32(columns))


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
