"""Comparing two arrays, and judging what came of it."""

from __future__ import annotations

import functools
import math
import zlib
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from parity.messages import say

BLOCK = 1 << 15  # elements compared at a time: both operands and the difference stay in the processor's cache


class Verdict(str, Enum):
    """What one comparison says. Order: from good to bad."""

    SAME = "same"  # within one noise floor
    NOISE = "noise"  # within M floors
    EXPLAINED = "explained"  # a registered framework difference accounts for it
    UNCOMPARED = "uncompared"  # no partner, or not reached: never counts as equal
    UNDECIDED = "undecided"  # within the noise, but the noise is too large to see a mistake in it
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far apart two arrays are.

    distance: largest |reference - twin|; inf where the shapes differ, one value is missing, or NaN or Inf stand in one
    array only. index: where (None for shapes and missing values). scale: largest finite |reference|.
    nans: NaNs that stand at the same places in both, of `size` elements.
    """

    distance: float
    index: tuple[int, ...] | None = None
    reference: float | None = None
    twin: float | None = None
    scale: float = 0.0
    nans: int = 0
    size: int = 0
    trouble: str | None = None  # why the distance is infinite
    width: int = 8  # bytes of the narrower of their dtypes
    dtypes: tuple[str, str] | None = None  # where they are not the same
    stratum: int = 0  # of the elements of such magnitude (`numbers.strata`); 0, and the only one, for nearly every tensor
    reshaped: float | None = None  # the distance of two arrays of other shapes that hold the same values otherwise laid out

    @property
    def relative(self) -> float:
        """distance / scale; 0 if both are 0."""
        return 0.0 if self.distance == 0 else self.distance / self.scale if self.scale else float("inf")


def digest(array: np.ndarray) -> int:
    """A checksum of the values in their order."""
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def deviation(reference: np.ndarray | None, twin: np.ndarray | None, scale: float | None = None) -> Deviation:
    """The largest elementwise distance of two arrays of one shape. Nothing broadcasts; NaN equals NaN in its place.

    scale: the reference's largest finite magnitude, where it is known already (it costs a third of the comparison).

    The arrays may have different floating dtypes (float32 against a float64 truth); the difference is taken in the
    wider one. A number, an integer and a truth value are not the same thing, whatever they are equal to.
    """
    if reference is None or twin is None:
        if reference is None and twin is None:
            return Deviation(0.0)
        return Deviation(np.inf, trouble=say("exists in the twin only") if reference is None else
                         say("exists in the reference only"))
    if reference.shape != twin.shape:
        return Deviation(np.inf, trouble=say("shape {reference} in the reference, {twin} in the twin",
                                            reference=reference.shape, twin=twin.shape))
    dtypes = None if reference.dtype == twin.dtype else (str(reference.dtype), str(twin.dtype))
    reference, twin = (array.astype(np.float32) if _is_bfloat16(array.dtype) else array for array in (reference, twin))
    if _KIND.get(reference.dtype.kind) != _KIND.get(twin.dtype.kind):
        return Deviation(np.inf, trouble=say("dtype {reference} in the reference, {twin} in the twin",
                                            reference=reference.dtype, twin=twin.dtype))
    if reference.size == 0:
        return Deviation(0.0, dtypes=dtypes)
    if reference.dtype.kind == "U":
        return _text_deviation(reference, twin)
    if reference.dtype.kind == "c":
        reference, twin = (np.stack([part.real, part.imag], -1) for part in (reference, twin))
    dtype = np.result_type(reference.dtype, twin.dtype)
    if dtype.kind != "f":
        dtype = np.dtype(np.longdouble)  # float64 cannot tell 2**60 from 2**60 + 1
    a, b = reference.reshape(-1), twin.reshape(-1)
    difference = np.empty(min(BLOCK, a.size), dtype)
    distance, worst, nans = -1.0, 0, 0
    for start in range(0, a.size, BLOCK):
        left, right = a[start:start + BLOCK], b[start:start + BLOCK]
        out = difference[:left.size]
        with np.errstate(invalid="ignore", over="ignore"):
            np.subtract(left, right, out=out, dtype=dtype, casting="unsafe")
        np.abs(out, out=out)
        place = out.argmax()  # of a NaN, where there is one
        largest = float(out[place])
        if not math.isfinite(largest):
            nans += _settle_nonfinite(left, right, out)
            place = out.argmax()
            largest = float(out[place])
        if largest > distance:
            distance, worst = largest, start + int(place)
    if scale is None:
        scale = largest_magnitude(reference)
    index = tuple(int(i) for i in np.unravel_index(worst, reference.shape))
    trouble = None
    if np.isinf(distance):
        both = np.isfinite(a[worst]) and np.isfinite(b[worst])
        trouble = say("too far apart for their dtype") if both else say("NaN or Inf on one side only")
    return Deviation(distance, index, float(a[worst]), float(b[worst]), scale, nans, reference.size, trouble,
                     min(reference.itemsize, twin.itemsize), dtypes)


def distance_of_floats(reference: np.ndarray, twin: np.ndarray) -> float | None:
    """`deviation(...).distance` alone, in a fraction of its time: of finite floats of one shape and dtype, not many; else None."""
    if (reference.shape != twin.shape or reference.dtype != twin.dtype or reference.dtype.kind != "f"
            or not 0 < reference.size <= BLOCK):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        distance = float(np.abs(np.subtract(reference, twin)).max())
    return distance if math.isfinite(distance) else None


def in_norm(found: Deviation, reference: np.ndarray | None, twin: np.ndarray | None) -> Deviation:
    """The same deviation measured by 2-norms: |reference - twin| and |reference|; the index still names the worst element."""
    if not np.isfinite(found.distance) or reference is None or found.index is None:
        return found
    distance = float(np.linalg.norm(np.subtract(reference, twin, dtype=np.float64).ravel()))
    return replace(found, distance=distance, scale=float(np.linalg.norm(reference.ravel())))


_KIND = {"f": "number", "i": "integer", "u": "integer", "b": "truth value", "c": "complex number", "U": "text"}


def _text_deviation(reference: np.ndarray, twin: np.ndarray) -> Deviation:
    """Texts are equal or not."""
    odd = np.flatnonzero(reference != twin)
    if not odd.size:
        return Deviation(0.0)
    left, right = (str(array.reshape(-1)[odd[0]]) for array in (reference, twin))
    return Deviation(np.inf, trouble=say("{left} in the reference, {right} in the twin", left=repr(left), right=repr(right)))


def is_float(dtype: np.dtype) -> bool:
    """Whether numbers of that dtype are real and rounded: half precisions too, and bfloat16 (of `ml_dtypes`), whose kind is "V"."""
    return dtype.kind == "f" or _is_bfloat16(dtype)


def _is_bfloat16(dtype: np.dtype) -> bool:
    return dtype.kind == "V" and dtype.name == "bfloat16"  # numpy makes up a name at each asking


def rounds(dtype: np.dtype) -> bool:
    """Whether numbers of that dtype are rounded, be they real or complex."""
    return is_float(dtype) or dtype.kind == "c"


@functools.cache
def eps_of(dtype: np.dtype) -> float:
    """The distance of 1 from the next larger number of that dtype (of a complex one: of its parts); 0 where nothing is rounded."""
    if _is_bfloat16(dtype):
        return 2.0**-7
    return float(np.finfo(dtype).eps) if rounds(dtype) else 0.0


def in_lane(array: np.ndarray, lane: str) -> np.ndarray:
    """The array in the precision of a lane, if its numbers are rounded."""
    if array.dtype.kind == "c":
        return array.astype(np.result_type(lane, np.complex64), copy=False)
    return array.astype(lane, copy=False) if array.dtype.kind == "f" else array


def largest_magnitude(array: np.ndarray) -> float:
    """The largest finite magnitude; 0 for an empty array."""
    if array.size == 0:
        return 0.0
    if array.dtype.kind == "c":
        array = np.abs(array)
    low, high = float(array.min()), float(array.max())
    if np.isfinite(low) and np.isfinite(high):
        return max(-low, high)
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _settle_nonfinite(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> int:
    """Distance 0 where both hold the same NaN or Inf, inf where only one does; returns the common NaNs."""
    both_nan = np.isnan(left) & np.isnan(right)
    same = both_nan | (left == right)
    odd = ~(np.isfinite(left) & np.isfinite(right)) & ~same
    out[same] = 0
    out[odd] = np.inf
    return int(both_nan.sum())


def resemblance(reference: np.ndarray, twin: np.ndarray) -> str | None:
    """In what simple way the twin's values are the reference's, if in one: a factor, a shift, an order, a flip.

    The evidence behind a cause: "the same values in another order" is a transposed weight or a swapped axis.
    """
    if reference.size < 2 or not (np.isfinite(reference).all() and np.isfinite(twin).all()):
        return None
    if {reference.dtype.kind, twin.dtype.kind} & {"c"}:
        return None
    tolerance = 1e3 * coarsest(reference.dtype, twin.dtype)
    reference, twin = reference.astype(np.float64), twin.astype(np.float64)
    a, b = np.ravel(reference), np.ravel(twin)
    if reference.shape != twin.shape:
        if reference.size == twin.size and _close(np.sort(a), np.sort(b), tolerance):
            return say("the same values in another shape")
        return None
    if not a.any() or not b.any():
        return say("all zero on one side")
    unit = np.abs(a).max()  # squares of large numbers overflow
    factor = float((a / unit) @ (b / unit)) / float((a / unit) @ (a / unit))
    tolerance = min(tolerance, ACCOUNTED * float(np.abs(b - a).max()) / unit)
    if _close(factor * a, b, tolerance):
        return say("the reference times {factor}", factor=_near_one(factor))
    shift = float((b - a).mean())
    if _close(a + shift, b, tolerance):
        return say("the reference plus {shift:.6g}", shift=shift)
    for axis in range(reference.ndim):
        if reference.shape[axis] > 1 and _close(np.flip(reference, axis), twin, tolerance):
            return say("the reference reversed along axis {axis}", axis=axis)
    if _close(np.sort(a), np.sort(b), tolerance):
        return say("the same values in another order")
    return None


def coarsest(*dtypes: np.dtype) -> float:
    """The eps of the numbers that are rounded most, float32's at most: that of half precisions would let everything be alike."""
    return max(eps_of(np.dtype(np.float64)), min(eps_of(np.dtype(np.float32)), max(map(eps_of, dtypes))))


ACCOUNTED = 0.01  # a likeness may leave so much of the distance: one that leaves it as it was says nothing


def _near_one(factor: float) -> str:
    """In six digits, of what is left beside 1 where they would say 1."""
    text = f"{factor:.6g}"
    return text if text != "1" else f"(1 {'-' if factor < 1 else '+'} {abs(factor - 1):.3g})"


def _close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return float(np.abs(a - b).max()) <= tolerance * float(np.abs(a).max())
