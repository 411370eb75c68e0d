"""Arrays as bytes: NaN payloads, signed zeros and denormals count."""

import hashlib
from pathlib import Path

import numpy as np


def as_bytes(array: np.ndarray) -> np.ndarray:
    """The array's bytes in C order, flat uint8; no copy where the array is contiguous already."""
    return np.asarray(array, order="C").reshape(-1).view(np.uint8)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Same shape, dtype and bytes. NaN equals NaN only with the same payload; -0.0 is not 0.0."""
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(as_bytes(a), as_bytes(b))


def sha256_array(array: np.ndarray) -> str:
    return hashlib.sha256(as_bytes(array)).hexdigest()


def sha256_file(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
