"""In what way two pictures are one: their channels, range, layout, normalisation, orientation, or how they were resized.

A picture is an array (height, width), (height, width, channels) or (channels, height, width), a batch of them has one axis more.
Every sentence rests on the values: what it names, done to the reference, gives the twin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from parity.messages import Message, say
from parity.numbers.arrays import coarsest

CHANNELS = (1, 3, 4)
GREY = 255.0  # levels of a picture of bytes
EXCHANGED = say("height and width exchanged")
BY_CHANCE = 8  # smaller arrays are alike in too many ways


def is_picture(array: np.ndarray | None) -> bool:
    """Whether it is one picture by its shape: two axes of more than four elements, and channels, if any, first or last."""
    return array is not None and array.dtype.kind in "fiu" and (
        (array.ndim == 2 and min(array.shape) > 4) or (array.ndim == 3 and channel_axis(array.shape) is not None))


def channel_axis(shape: tuple[int, ...]) -> int | None:
    """-3 or -1, where one of them holds channels and the other axes do not; else None."""
    if len(shape) < 3:
        return None
    found = [axis for axis in (-3, -1) if shape[axis] in CHANNELS and min(shape[-2:] if axis == -3 else shape[-3:-1]) > 4]
    return found[0] if len(found) == 1 else None


def channels_last(array: np.ndarray) -> np.ndarray:
    """The same with its channels, where they are first, last."""
    return np.moveaxis(array, -3, -1) if channel_axis(array.shape) == -3 else array


def likeness(reference: np.ndarray, twin: np.ndarray) -> Message | None:
    """In what way the twin's picture is the reference's, where it is one and the two differ; None where nothing simple tells.

    Raises nothing: arrays of any shape and dtype may be asked about.
    """
    if reference.dtype.kind not in "fiu" or twin.dtype.kind not in "fiu" or min(reference.size, twin.size) < BY_CHANCE:
        return None
    if not (np.isfinite(reference).all() and np.isfinite(twin).all()):
        return None
    rounded = [one.dtype for one in (reference, twin) if one.dtype.kind == "f"]
    tolerance = 1e3 * coarsest(*(rounded or [np.dtype(np.float32)]))
    ours, theirs = reference.astype(np.float64), twin.astype(np.float64)
    if channel_axis(ours.shape) is None and ours.shape != theirs.shape and ours.size != theirs.size:
        return None
    for laid, moved in _layouts(ours, theirs.shape):
        for turned, orders in _orders(moved):
            scaled = _scale(orders, theirs, tolerance)
            said = [*filter(None, (laid, turned, scaled))]
            if scaled is not None and (said or reference.dtype.kind != twin.dtype.kind):
                return _together(said)
    return None


def _together(said: list[str]) -> Message | None:
    said = [one for one in said if one]
    if not said:
        return None
    return say("the twin's picture is the reference's with {what}", what=said[0]) if len(said) == 1 else say(
        "the twin's picture is the reference's with {what}, and with {more}", what=said[0],
        more=said[1] if len(said) == 2 else say("{what} and {more}", what=said[1], more=said[2]))


def _layouts(array: np.ndarray, shape: tuple[int, ...]) -> Iterator[tuple[Message | None, np.ndarray]]:
    """(what was done, the array) that have the shape."""
    if array.shape == shape:
        yield None, array
    if array.ndim < 3:
        return
    for source, target, said in ((-3, -1, say("the channels last (HWC), not first (CHW)")),
                                 (-1, -3, say("the channels first (CHW), not last (HWC)"))):
        moved = np.moveaxis(array, source, target)
        if moved.shape == shape and channel_axis(array.shape) in (source, None) and array.shape[source] in CHANNELS:
            yield said, moved
    if array.ndim == len(shape) and channel_axis(array.shape) is not None:
        axes = (-2, -1) if channel_axis(array.shape) == -3 else (-3, -2)
        swapped = np.swapaxes(array, *axes)
        if swapped.shape == shape:
            yield EXCHANGED, swapped


def _orders(array: np.ndarray) -> Iterator[tuple[Message | None, np.ndarray]]:
    axis = channel_axis(array.shape)
    yield None, array
    if axis is not None and array.shape[axis] >= 3:
        turned = array.copy()
        colours = [slice(None)] * array.ndim
        colours[axis] = slice(0, 3)
        turned[tuple(colours)] = np.flip(array[tuple(colours)], axis)
        yield say("red and blue exchanged (BGR against RGB)"), turned
    across, down = (-1, -2) if axis != -1 else (-2, -3)
    if array.ndim >= 2:
        yield say("left and right exchanged (a flip)"), np.flip(array, across)
        yield say("top and bottom exchanged (a flip)"), np.flip(array, down)


def _scale(ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> Message | str | None:
    """What was done to the numbers; "" where nothing was; None where that is not all."""
    if _alike(ours, theirs, tolerance):
        return ""
    lines = _lines(ours, theirs)
    if lines is None:
        return None
    slopes, shifts = lines
    axis = channel_axis(ours.shape)
    shape = [1] * ours.ndim
    if axis is not None:
        shape[axis] = -1
    if not _alike(slopes.reshape(shape) * ours + shifts.reshape(shape), theirs, tolerance):
        return None
    unit = max(np.abs(theirs).max(), 1e-30)
    if np.ptp(slopes) <= 1e3 * tolerance * np.abs(slopes).max() and np.abs(shifts).max() <= 1e2 * tolerance * unit:
        factor = float(slopes.mean())
        if abs(factor - GREY) < 1e-2:
            return say("values of [0, 255], not of [0, 1]")
        if abs(factor * GREY - 1) < 1e-4:
            return say("values of [0, 1], not of [0, 255]")
        if abs(factor - 1) < 1e-6:
            return ""
        return say("its values times {factor:.6g}", factor=factor)
    if np.ptp(slopes) <= 1e-4 * np.abs(slopes).max() and np.ptp(shifts) <= 1e-4 * unit:
        slope, shift = float(slopes.mean()), float(shifts.mean())
        return say("another range: its values times {slope:.4g}, plus {shift:.4g}", slope=slope, shift=shift)
    written = "; ".join(f"{slope:.4g} x + {shift:.4g}" for slope, shift in zip(slopes, shifts, strict=True))
    return say("another mean or deviation for each channel (the twin's values: {written})", written=written)


def _lines(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Of each channel slope and shift of the line through (ours, theirs); None where a channel has one value only."""
    axis = channel_axis(ours.shape)
    ours, theirs = (np.moveaxis(one, axis, 0).reshape(one.shape[axis], -1) if axis is not None else one.reshape(1, -1)
                    for one in (ours, theirs))
    centred = ours - ours.mean(1, keepdims=True)
    spread = (centred ** 2).sum(1)
    if not (spread > 0).all():
        return None
    slopes = (centred * (theirs - theirs.mean(1, keepdims=True))).sum(1) / spread
    return (slopes, theirs.mean(1) - slopes * ours.mean(1)) if (slopes != 0).all() else None


def _alike(one: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    return one.shape == other.shape and float(np.abs(one - other).max()) <= tolerance * max(float(np.abs(other).max()), 1e-30)


def same_up_to_form(one: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    """Whether the two are one picture in another layout, or as [0, 1] and [0, 255]: what a later transform may undo.

    tolerance: relative to the largest magnitude.
    """
    ours, theirs = one.astype(np.float64), other.astype(np.float64)
    return any(_alike(factor * laid, theirs, tolerance) for said, laid in _layouts(ours, theirs.shape)
               if said is not EXCHANGED for factor in (1.0, GREY, 1 / GREY))


def slope(one: np.ndarray, other: np.ndarray, tolerance: float) -> float | None:
    """That of the one line on which all values of two pictures lie, channel by channel, in whatever layout; None where they do
    not."""
    ours, theirs = one.astype(np.float64), other.astype(np.float64)
    for _, laid in _layouts(ours, theirs.shape):
        lines = _lines(laid, theirs)
        if lines is not None and np.ptp(lines[0]) <= tolerance * np.abs(lines[0]).max():
            axis = channel_axis(laid.shape)
            shape = [-1 if axis is not None and place == laid.ndim + axis else 1 for place in range(laid.ndim)]
            if _alike(lines[0].reshape(shape) * laid + lines[1].reshape(shape), theirs, tolerance):
                return float(lines[0].mean())
    return None


# --- resizing --------------------------------------------------------------------------------------------------------


def resized_how(before: np.ndarray, after: np.ndarray) -> Message | None:
    """The interpolation that makes the second picture of the first, where one does to the nearest grey level.

    before, after: pictures of one layout (channels last or none); floating-point ones in [0, 1] or [0, 255].
    """
    size = after.shape[:2]
    if before.ndim not in (2, 3) or before.shape[2:] != after.shape[2:] or before.shape[:2] == size or min(size) < 2:
        return None
    unit = GREY if before.dtype.kind == "f" and float(np.abs(before).max()) <= 1 else 1.0
    source, target = before.astype(np.float64) * unit, after.astype(np.float64) * unit
    cut = after.dtype.kind != "f"  # to bytes, after each of the two directions
    found = [(float(np.abs(how(source, size, cut) - target).max()), said) for said, how in RESIZINGS]
    distance, said = min(found, key=lambda each: each[0])
    return said if distance <= 1.0 else None


def _bytes(picture: np.ndarray, cut: bool) -> np.ndarray:
    return np.clip(np.floor(picture + 0.5), 0, GREY) if cut else picture


def _weighted(kernel: Callable[[float], float], support: float, *, antialias: bool) -> Callable:
    """Separable: each pixel is a weighted sum of those of the source around its centre. Antialiased: the kernel is as wide as the
    picture shrinks (Pillow, src/libImaging/Resample.c)."""
    def weights(given: int, wanted: int) -> np.ndarray:
        ratio = given / wanted
        width = max(ratio, 1.0) if antialias else 1.0
        centres = (np.arange(wanted) + 0.5) * ratio - 0.5
        made = np.zeros((wanted, given))
        reach = int(np.ceil(support * width)) + 1
        for row, centre in enumerate(centres):
            for column in range(int(np.floor(centre)) - reach, int(np.floor(centre)) + reach + 1):
                inside = 0 <= column < given
                if inside or not antialias:  # an antialiased sum leaves out what lies outside, the other repeats the border
                    made[row, min(max(column, 0), given - 1)] += kernel(np.abs(column - centre) / width)
        return made / made.sum(1, keepdims=True)

    def resized(picture: np.ndarray, size: tuple[int, int], cut: bool) -> np.ndarray:
        across = np.moveaxis(np.tensordot(weights(picture.shape[1], size[1]), picture, (1, 1)), 0, 1)
        return _bytes(np.tensordot(weights(picture.shape[0], size[0]), _bytes(across, cut), (1, 0)), cut)

    return resized


def _cubic(a: float) -> Callable[[float], float]:
    """Keys (1981); Pillow takes a = -0.5, cv2 and both frameworks without antialiasing -0.75."""
    def kernel(x: float) -> float:
        if x < 1:
            return ((a + 2) * x - (a + 3)) * x * x + 1
        return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0

    return kernel


def _nearest(shift: float) -> Callable:
    def resized(picture: np.ndarray, size: tuple[int, int], cut: bool) -> np.ndarray:
        rows, columns = (np.minimum(np.floor((np.arange(wanted) + shift) * given / wanted).astype(int), given - 1)
                         for given, wanted in zip(picture.shape[:2], size, strict=True))
        return picture[rows][:, columns]

    return resized


def _corners(picture: np.ndarray, size: tuple[int, int], cut: bool) -> np.ndarray:
    """Bilinear with align_corners=True."""
    for axis, wanted in enumerate(size):
        given = picture.shape[axis]
        places = np.arange(wanted) * (given - 1) / (wanted - 1)
        low = np.floor(places).astype(int)
        part = (places - low).reshape([-1 if other == axis else 1 for other in range(picture.ndim)])
        picture = np.take(picture, low, axis) * (1 - part) + np.take(picture, np.minimum(low + 1, given - 1), axis) * part
    return _bytes(picture, cut)


def _triangle(x: float) -> float:
    return max(0.0, 1.0 - x)


RESIZINGS: tuple[tuple[Message, Callable], ...] = (
    (say("bilinear interpolation with antialiasing (as Pillow)"), _weighted(_triangle, 1.0, antialias=True)),
    (say("bilinear interpolation without antialiasing"), _weighted(_triangle, 1.0, antialias=False)),
    (say("bilinear interpolation with aligned corners"), _corners),
    (say("bicubic interpolation with antialiasing (as Pillow)"), _weighted(_cubic(-0.5), 2.0, antialias=True)),
    (say("bicubic interpolation without antialiasing"), _weighted(_cubic(-0.75), 2.0, antialias=False)),
    (say("the nearest pixel (by centres)"), _nearest(0.5)),
    (say("the nearest pixel (by corners)"), _nearest(0.0)),
)
"""How a picture may be resized, in words, and in numpy: (picture, (height, width), whether it is of bytes) -> picture, float64."""
