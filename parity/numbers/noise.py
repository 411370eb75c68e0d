"""The noise floor: what rounding alone does to each value, so that "how far" has a unit.

floor(value) = max( max over DRAWS of |moved reference - reference|,
                    eps(dtype) * sqrt(terms reduced) * largest magnitude that entered the operation )

The moved reference has its inputs and weights moved by one ulp and, in the float64 lane, the result of each operation by its
own rounding (`frameworks.torch_rounding`). That follows rounding through the program as it really is (an instance norm of a
constant picture amplifies it 3e2 times). The second part is one operation's own rounding, where the draws move nothing.
`parity.verdict.floors` puts them together.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from parity.numbers.arrays import BLOCK, is_float

DRAWS = 3

M = 16.0
"""A value is `noise` up to M floors and `diverged` above: one constant for the whole harness, no knob.

Calibrated on healthy twins: docs/calibration.md has the distribution, and `benchmarks/calibrate.py` regenerates it.
"""

REFORMULATION = 1e3
"""How many times an operation's rounding as analysed may exceed what the draws measured, and still be believed.

The analysis takes the largest magnitude in sight; where that does not reach the result (an attention mask of -3e38 before
its softmax) it allows anything. A twin that computes by another formula, of larger intermediate values, needs some of it:
E[x^2] - E[x]^2 beside E[(x - E[x])^2] loses (mean / deviation)^2, 1e2 on data that lies ten deviations from 0, and is another,
worse algorithm beyond 1e3. Healthy twins of the pair need 1.3 (3100 values of 80 drawn subjects). M x REFORMULATION x
eps is 3.6e-12 relative: what the harness can always see in float64.
"""

RESOLUTION = {8: 1e-6, 4: 1e-2, 2: 1e-1}
"""By bytes of the dtype: how far a value may be off, relative to its size, and be called the same.

A mistake in a program is seldom smaller than 1e-6 (a missing epsilon, a momentum in float32); float32 alone is there to tell
accuracy, not mistakes. A value that is farther off, and within its floor, was not looked at: the floor says that rounding may do
so, not that it did. It is judged again where nothing has grown (replay), and is *undecided* where that does not help.
"""

ACCURACY = 4.0
"""float32: the twin's error may be this many times the reference's own (see `parity.verdict.floors.measure`)."""


def generator(*names: object) -> np.random.Generator:
    """A random generator named by what it is for, so that no draw depends on the order of draws."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def one_ulp(array: np.ndarray, rng: np.random.Generator, *, inwards: bool = False) -> np.ndarray:
    """The array with every element moved to a neighbouring number, up or down at random.

    An exact zero stays: it comes of padding, masks and rectifiers and rounds to itself on both sides, and moved at all it
    crosses the kink of the next rectifier, so that the floor of every gradient behind is as large as the gradient (a tenth of
    the pixels black, a convolution without bias, a ReLU: 5% of the gradient lost was `same`). NaN and Inf stay, and so does
    what is not floating point. A complex number's parts move each on its own.

    inwards: of what a program is given. Where the largest or the smallest number is a whole one it may be the end of a domain: a
    label of 1, a probability, a picture of [-1, 1]. It moves inwards, as no rounding takes a value out of its domain, and what a
    program checks it checks in a draw as well (torch's binary_cross_entropy raises at 1 + eps). Of equal numbers alone, inwards is
    towards zero, and half of them stay: else all moved alike, and sums that cancel would hide it. Weights have no such domain.
    """
    if array.dtype.kind == "c":
        parts = np.stack([array.real, array.imag], -1)
        return one_ulp(parts, rng, inwards=inwards).view(array.dtype)[..., 0]
    if not is_float(array.dtype):
        return array
    flat = np.ascontiguousarray(array).reshape(-1)
    moved = np.empty_like(flat)
    low, high = _ends(flat) if inwards else (np.nan, np.nan)
    alike = inwards and flat.size > 1 and bool((flat == flat[0]).all())
    for start in range(0, flat.size, BLOCK):
        piece = flat[start:start + BLOCK]
        up = rng.random(piece.size) < 0.5
        neighbours = _neighbours(piece, (up & (piece != high)) | (piece == low) if inwards else up)
        moves = (piece != 0) & np.isfinite(piece) & np.isfinite(neighbours)  # that of the largest number is infinity
        if alike:
            moves &= ~np.where(up, piece == high, piece == low)
        moved[start:start + BLOCK] = np.where(moves, neighbours, piece)
    return moved.reshape(array.shape)


def _ends(numbers: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest number as far as they are whole ones, else NaN, which nothing is equal to."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return np.nan, np.nan
    low, high = finite.min(), finite.max()
    if low == high:
        low, high = (low, np.nan) if low < 0 else (np.nan, high)
    return tuple(end if end == np.trunc(end) else np.nan for end in (low, high))


def _neighbours(numbers: np.ndarray, up: np.ndarray) -> np.ndarray:
    """What `np.nextafter` says of numbers other than 0, in a third of the time: magnitudes are ordered as their bits are."""
    integer = np.dtype(f"i{numbers.itemsize}")
    steps = np.subtract(2 * (up != np.signbit(numbers)), 1, dtype=integer)
    return (numbers.view(integer) + steps).view(numbers.dtype)


def move(values: Mapping[str, np.ndarray], *names: object, inwards: bool = False) -> dict[str, np.ndarray]:
    """Every array of a state or an input dict moved by one ulp, each by its own named generator. inwards: as of `one_ulp`."""
    return {name: one_ulp(array, generator("ulp", *names, name), inwards=inwards) for name, array in values.items()}
