"""Strata: the elements of one tensor whose magnitudes lie far apart, judged apart, so that one huge element hides nothing.

A floor is one number for a tensor, as large as what rounding does to its largest elements. Beside a mask of -3e38 it is larger
than any logit, and whatever happens to the logits is `same`. So where the magnitudes of a tensor fall into groups with nothing in
between, each group has a floor of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.numbers.arrays import Deviation, deviation, rounds

GAP = 28
"""Binary orders of magnitude without any element that part two strata.

What rounds in the larger stratum, M eps(float64) of it, reaches RESOLUTION (1e-6) of the smaller one where the two are
1e-6 / (16 x 2.2e-16) = 2^28 apart. Nearer ones leave the smaller stratum to be seen. (In float32 that is 2^12, which a few values
around zero have by chance; masks are far above 2^28.)
"""

SAMPLE = 1 << 12
"""Larger tensors are looked at in so many elements, evenly spread."""

_EXPONENT = {8: (np.uint64, 52, 0x7FF, 1023), 4: (np.uint32, 23, 0xFF, 127)}  # bytes -> integer, shift, mask, bias (IEEE 754)


class Floors(float):
    """A noise floor for each stratum of a value, from the smallest elements to the largest; as a number, that of the smallest."""

    each: tuple[float, ...]

    def __new__(cls, each: tuple[float, ...]) -> Floors:
        made = super().__new__(cls, each[0])
        made.each = tuple(map(float, each))
        return made


def floor_at(floor: float, stratum: int) -> float:
    """The floor of that stratum."""
    return floor.each[stratum] if isinstance(floor, Floors) else floor


def larger(one: float, other: float) -> float:
    """The larger of two floors, stratum by stratum; a plain number counts for each."""
    if not isinstance(one, Floors) and not isinstance(other, Floors):
        return max(one, other)
    count = len((one if isinstance(one, Floors) else other).each)
    return Floors(tuple(max(floor_at(one, n), floor_at(other, n)) for n in range(count)))


def borders(array: np.ndarray) -> tuple[float, ...]:
    """The magnitudes at which a new stratum begins, in rising order; none for nearly every tensor.

    Zeros belong to the smallest elements, and say nothing of a gap; NaN and Inf neither. A complex number counts by its absolute
    value, of which both its parts round.
    """
    if not rounds(array.dtype) or array.size < 2:
        return ()
    flat = array.reshape(-1)
    if flat.size > SAMPLE:
        flat = flat[::flat.size // SAMPLE]
    magnitudes = _magnitudes(flat)
    if magnitudes.dtype.itemsize not in _EXPONENT:
        return ()
    integer, shift, mask, bias = _EXPONENT[magnitudes.dtype.itemsize]
    magnitudes = magnitudes[(magnitudes > 0) & (magnitudes < np.inf)]
    if not magnitudes.size or magnitudes.max() < 2.0 ** GAP * float(magnitudes.min()):
        return ()  # nearly always: the rest is ten times as much work
    exponents = (magnitudes.view(integer) >> integer(shift)) & integer(mask)
    occupied = np.flatnonzero(np.bincount(exponents.astype(np.intp), minlength=mask + 1))
    starts = occupied[1:][np.diff(occupied) >= GAP]
    return tuple(float(2.0 ** (int(start) - bias)) for start in starts)


def tops(array: np.ndarray, at: tuple[float, ...]) -> tuple[float, ...]:
    """The largest finite magnitude of each stratum."""
    magnitudes = _magnitudes(array)
    magnitudes = magnitudes[np.isfinite(magnitudes)]
    strata = np.searchsorted(at, magnitudes, side="right")
    return tuple(float(magnitudes[strata == number].max(initial=0.0)) for number in range(len(at) + 1))


def _magnitudes(array: np.ndarray) -> np.ndarray:
    """Absolute values, those of half precision in single."""
    with np.errstate(over="ignore"):
        return np.abs(array.astype(np.float32) if array.dtype.itemsize == 2 else array)


def deviations(reference: np.ndarray, twin: np.ndarray, at: tuple[float, ...]) -> list[Deviation]:
    """`deviation` of each stratum of the reference, with the index in the whole array; at: its `borders`."""
    magnitudes = _magnitudes(reference)
    strata = np.where(np.isfinite(magnitudes), np.searchsorted(at, magnitudes, side="right"), 0)
    found = []
    for number in range(len(at) + 1):
        places = np.flatnonzero(strata == number)
        part = deviation(reference.reshape(-1)[places], twin.reshape(-1)[places])
        if part.index is not None:
            part = replace(part, index=tuple(int(i) for i in np.unravel_index(places[part.index[0]], reference.shape)))
        found.append(replace(part, stratum=number))
    return found
