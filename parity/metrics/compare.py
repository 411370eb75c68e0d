"""Two metrics on the same batches: after each update, at the end, and on the predictions of two models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.blame import in_words, refusing
from parity.declare.metric import Batch, Metric
from parity.files import InputError
from parity.metrics.causes import cause
from parity.metrics.meters import Meter, Read, Values
from parity.metrics.summary import Ends, MetricSummary, written
from parity.numbers.arrays import deviation, eps_of
from parity.numbers.noise import DRAWS, M, generator, one_ulp
from parity.verdict.findings import NothingCompared

EPS = eps_of(np.dtype(np.float32))


class _Same:
    """Whether two values are, but for rounding: within M roundings of float32, in which both frameworks compute unless told (a
    Python number does not say in what it was computed), or within M times what moving the predictions by one rounding does to
    the reference."""

    def __init__(self, floor: Values) -> None:
        self._floor = floor

    def __call__(self, ours: Values, theirs: Values) -> bool:
        return difference(ours, theirs, self._floor) is None


def difference(ours: Values, theirs: Values, floor: Values) -> str | None:
    """What differs, in words; None where nothing does. Values meet by their access paths, or by their order."""
    if len(ours) != len(theirs):
        return f"{len(ours)} values in the reference, {len(theirs)} in the twin"
    both = [(path, ours[path], theirs[path]) for path in ours] if ours.keys() == theirs.keys() else [
        (path, left, right) for (path, left), right in zip(ours.items(), theirs.values(), strict=True)]
    for path, left, right in both:
        if left.size != right.size:
            return f"shape {left.shape} in the reference, {right.shape} in the twin"
        exact = left.dtype.kind in "iub" and right.dtype.kind in "iub"
        left, right = (np.ravel(one).astype(np.float64) for one in (left, right))
        scale = np.maximum(np.abs(left), np.abs(right))
        moved = np.ravel(floor[path]) if path in floor and floor[path].size == left.size else 0.0
        allowed = np.zeros(left.size) if exact else M * np.maximum(EPS * np.where(np.isfinite(scale), scale, 0), moved)
        apart = np.where(np.isnan(left) & np.isnan(right) | (left == right), 0.0, np.abs(left - right))
        if not (np.nan_to_num(apart, nan=np.inf) <= allowed).all():
            name = f"{path}: " if path else ""
            place = f" (at {deviation(left, right).index[0]})" if left.size > 1 else ""
            return f"{name}{written({path: left})} in the reference, {written({path: right})} in the twin{place}"
    return None


def compare(metric: Metric, *, seed: int = 0) -> MetricSummary:
    """Hand the same batches to both metrics, and compare what they say after each, and at the end.

    Raises InputError (the reference raises; a side is no metric), NothingCompared (there is no number to compare).
    """
    summary = MetricSummary(metric.title)
    meters = Meter(metric.reference, 0), Meter(metric.twin, 1)
    batches = metric.batches(metric.batch, seed)
    with refusing("Metric, reference", cannot="it cannot be read", advice="call it alone to see more"):
        ours = meters[0].read(batches)
        floors = _floors(meters[0], batches, ours.end)
    if not any(value.size for value in ours.end.values()):
        raise NothingCompared(f"{metric.title}: the reference returned no number, so nothing was compared")
    try:
        theirs = meters[1].read(batches)
        ours, theirs = (_adding_up(meter, read, batches) if meters[0].adds_up != meters[1].adds_up else read
                        for meter, read in zip(meters, (ours, theirs), strict=True))
    except InputError:
        raise
    except Exception as error:  # the twin's: a finding
        summary.raised = in_words(error)
        summary.reference = ours.after
        return summary
    summary.reference, summary.twin, summary.ends = ours.after, theirs.after, (ours.end, theirs.end)
    for number, (left, right) in enumerate(zip(ours.after, theirs.after, strict=True), 1):
        if summary.first is None and (said := difference(left, right, floors)) is not None:
            summary.first, summary.what = number, said
    if summary.first is None and (said := difference(ours.end, theirs.end, floors)) is not None:
        summary.first, summary.what = 0, said
    if summary.first is not None:
        at, ends = batches, (ours.end, theirs.end)
        if difference(*ends, floors) is None:
            ends = ours.after[summary.first - 1], theirs.after[summary.first - 1]
            at = batches[:summary.first] if meters[0].adds_up or meters[1].adds_up else [batches[summary.first - 1]]
        summary.cause = cause(meters, at, ends, _Same(floors))
    if metric.twin_batch is not None:
        summary.models = _models(meters, metric.batches(metric.twin_batch, seed), (ours.end, theirs.end), floors)
    return summary


def _adding_up(meter: Meter, read: Read, batches: Sequence[Batch]) -> Read:
    """Of a function, beside an object on the other side: what it says of all batches so far."""
    if meter.adds_up:
        return read
    return Read([meter.read(batches[:number]).end for number in range(1, len(batches) + 1)], read.end)


def _floors(meter: Meter, batches: Sequence[Batch], end: Values) -> Values:
    """How far each number moves where what is handed over moves by one rounding."""
    floors = {path: np.zeros(value.shape) for path, value in end.items()}
    for draw in range(DRAWS):
        moved = [(nest, {path: one_ulp(array, generator("metric", draw, number, path), inwards=True)
                         for path, array in arrays.items()})
                 for number, (nest, arrays) in enumerate(batches)]
        for path, value in meter.read(moved).end.items():
            if path in floors and value.shape == floors[path].shape:
                distance = np.abs(value.astype(np.float64) - end[path].astype(np.float64))
                floors[path] = np.maximum(floors[path], np.where(np.isfinite(distance), distance, 0.0))
    return floors


def _models(meters: tuple[Meter, Meter], batches: Sequence[Batch], ours: tuple[Values, Values], floors: Values) -> Ends:
    """ours: what the two metrics say of the reference's predictions; batches: the twin's."""
    with refusing("Metric, twin_batch", cannot="the metrics cannot be read", advice="call them alone to see more"):
        theirs = tuple(meter.read(batches).end for meter in meters)
    by_metric = any(difference(*two, floors) is not None for two in (ours, theirs))
    by_model = any(difference(*two, floors) is not None for two in zip(ours, theirs, strict=True))
    return Ends((ours[0], theirs[1]), (theirs[0], ours[1]), by_metric, by_model)
