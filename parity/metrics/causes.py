"""Why two metrics part, where numbers show it: another way to count, done to the one side, gives what the other says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from parity.asked import SIDES
from parity.declare.metric import Batch
from parity.metrics.meters import Meter, Values

Same = Callable[[Values, Values], bool]
MOST_LABELS = 32  # so many of an argument's values may be labels


def cause(meters: tuple[Meter, Meter], batches: Sequence[Batch], ends: tuple[Values, Values], same: Same) -> str | None:
    """The first that fits. ends: what the two say of these batches; same: whether two values are, but for rounding."""
    for side, other in ((1, 0), (0, 1)):
        for said, counted in _otherwise(meters[other], batches):
            try:
                value = counted()
            except Exception:  # a metric may not take pictures pixel by pixel, or no batch at all
                continue
            if same(value, ends[side]) and not same(value, ends[other]):
                return f"the {SIDES[side]} {said}"
    return _of_values(ends, same)


def _otherwise(meter: Meter, batches: Sequence[Batch]) -> Iterator[tuple[str, Callable[[], Values]]]:
    """(what the other side does, what this one says when it is done to it)"""
    if len(batches) > 1:
        yield ("averages what each batch says, the last and smaller one counting as much as the others",
               lambda: _mean([meter.read([batch]).end for batch in batches]))
        yield "leaves out the last batch", lambda: meter.read(batches[:-1]).end
        yield "says what the last batch alone does (the sums are not kept)", lambda: meter.read(batches[-1:]).end
    for path, label in _labels(batches):
        left = [without(batch, path, label) for batch in batches]
        if all(batch is not None for batch in left):
            left = [batch for batch in left if _rows(batch)]
            yield f"leaves out what has the label {label}", lambda left=left: meter.read(left).end


def _mean(alone: list[Values]) -> Values:
    return {path: np.mean([one[path] for one in alone], 0) for path in alone[0]}


def _labels(batches: Sequence[Batch]) -> Iterator[tuple[str, int]]:
    for path, array in batches[0][1].items():
        if array.dtype.kind in "iu":
            values = np.unique(np.concatenate([arrays[path].ravel() for _, arrays in batches if path in arrays]))
            if 1 < values.size <= MOST_LABELS:
                yield from ((path, int(value)) for value in values)


def _rows(batch: Batch) -> int:
    return min((len(array) for array in batch[1].values()), default=0)


def without(batch: Batch, path: str, label: int) -> Batch | None:
    """A batch without the samples, or the pixels, that have a label; None where another array does not go with the labels.

    Of labels (n, height, width) and scores (n, classes, height, width) each pixel becomes a sample of its own, (pixels, 1, 1) and
    (pixels, classes, 1, 1): to count pixels, that is the same.
    """
    nest, arrays = batch
    labels, made = arrays[path], {}
    kept = labels.ravel() != label
    for name, array in arrays.items():
        if array.shape == labels.shape:
            rows = array.reshape(-1, *(1,) * (array.ndim - 1))
        elif (labels.ndim == 1 and array.shape[:1] == labels.shape) or labels.shape == (len(array), 1):
            rows = array
        elif array.ndim == labels.ndim + 1 and array.shape[:1] + array.shape[2:] == labels.shape:
            rows = np.moveaxis(array, 1, -1).reshape(-1, array.shape[1], *(1,) * (labels.ndim - 1))
        else:
            return None
        made[name] = rows[kept]
    return nest, made


def _of_values(ends: tuple[Values, Values], same: Same) -> str | None:
    ours, theirs = ends
    if same({key: 100 * value for key, value in ours.items()}, theirs):
        return "the twin counts in percent"
    if same(ours, {key: 100 * value for key, value in theirs.items()}):
        return "the reference counts in percent"
    if same({key: 1 - value.astype(float) for key, value in ours.items()}, theirs):
        return "the one is 1 minus the other: a share of errors for a share of hits"
    return None
