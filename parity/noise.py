"""The noise floor: what rounding alone does to each value, so that "how far" has a unit.

floor(value) = max( max over DRAWS of |reference with inputs and weights moved by one ulp - reference|,
                    eps(dtype) * sqrt(terms reduced) * largest magnitude that entered the operation )

The first part follows rounding through the program as it really is (an instance norm of a constant picture amplifies it
3e2 times). The second is what one operation's own rounding comes to, where one ulp happens to move nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

DRAWS = 3

M = 16.0
"""A value is `noise` up to M floors and `diverged` above: one constant for the whole harness, no knob.

Calibrated on healthy twins: docs/calibration.md has the distribution, and `benchmarks/calibrate.py` regenerates it.
"""

ACCURACY = 4.0
"""float32: the twin's error may be this many times the reference's own (see `parity.verdict.accuracy_floor`)."""


def generator(*names: object) -> np.random.Generator:
    """A random generator named by what it is for, so that no draw depends on the order of draws."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def one_ulp(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The array with every element moved to a neighbouring number, up or down at random.

    An exact zero is moved by eps times the array's largest magnitude (its neighbours are denormals, which would move
    nothing). NaN and Inf stay, and so does what is not floating point.
    """
    if array.dtype.kind != "f":
        return array
    up = rng.random(array.shape) < 0.5
    infinity = array.dtype.type(np.inf)
    moved = np.nextafter(array, np.where(up, infinity, -infinity))
    finite = np.isfinite(array)
    largest = np.abs(array[finite]).max() if finite.any() else array.dtype.type(0)
    step = np.finfo(array.dtype).eps * largest
    moved = np.where(array == 0, np.where(up, step, -step), moved)
    return np.where(finite & np.isfinite(moved), moved, array).astype(array.dtype, copy=False)


def move(values: Mapping[str, np.ndarray], *names: object) -> dict[str, np.ndarray]:
    """Every array of a state or an input dict moved by one ulp, each by its own named generator."""
    return {name: one_ulp(array, generator("ulp", *names, name)) for name, array in values.items()}
