"""What a divergence looks like: its likely cause, read off the two values and the two statements that made them.

Each inference here needs evidence in the values; a name or an argument alone never makes a cause. Where none applies,
`numbers.arrays.resemblance` may still say in what simple way the values are alike.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from parity.messages import Message, say
from parity.numbers import pictures
from parity.numbers.arrays import resemblance
from parity.trace.events import Event
from parity.verdict.computed import COMPUTED, taken
from parity.verdict.evidence import ROUNDING, Evidence, alike, constant


def cause_of(found: Evidence) -> Message | None:
    """The likely cause in words; None where the values tell of none."""
    if found.reference.dtype.kind not in "fiub" or found.twin.dtype.kind not in "fiub":
        return None
    if not (np.isfinite(found.reference).all() and np.isfinite(found.twin).all()) or not found.reference.size:
        return None
    if found.event.key.stage == "data" and (said := pictures.likeness(found.reference, found.twin)) is not None:
        return said
    for cause in (*CAUSES, *COMPUTED, taken):
        said = cause(found)
        if said is not None:
            return said
    likeness = resemblance(found.reference, found.twin)
    return say("the twin's values are {likeness}", likeness=likeness) if likeness else None


def cause_of_cut(event: Event, partner: Event, side: str) -> Message:
    """Why no gradient comes back to a value on one side, "reference" or "twin", where it does on the other; the values agree."""
    found = Evidence(np.zeros(0), np.zeros(0), event, partner)
    name = say("the twin") if side == "twin" else say("the reference")
    asked = {one: [_keeps_graph(call) for call in found.calls(("grad",), one)] for one in ("reference", "twin")}
    other = asked["reference" if side == "twin" else "twin"]
    if asked[side] and all(kept is False for kept in asked[side]) and any(kept is not False for kept in other):
        return say("{side} asks for this gradient without create_graph=True, the other side with it: what is made of it (a "
                   "gradient penalty) moves no parameter there", side=name)
    return say("the graph ends here in {side} alone: no gradient comes back to this value (create_graph, detach, no_grad, "
               "stop_gradient)", side=name)


def _keeps_graph(call: ast.Call) -> bool | None:
    """What a call of `grad` says of create_graph, the fifth argument in both frameworks; None where that is not written there."""
    given = next((word.value for word in call.keywords if word.arg == "create_graph"), None)
    given = call.args[4] if given is None and len(call.args) > 4 else given
    return bool(given.value) if isinstance(given, ast.Constant) else None if given is not None else False


# --- values that lie elsewhere ---------------------------------------------------------------------------------------

def _first_axes(found: Evidence) -> Message | None:
    """Batch and time the other way round."""
    left, right = found.reference, found.twin
    if left.ndim < 3 or left.shape[:2] == (1, 1) or left.shape[:2][::-1] + left.shape[2:] != right.shape:
        return None
    if 1 in left.shape[:2] or not alike(left.swapaxes(0, 1), right) or alike(left, right):
        return None
    return say("the twin's values are the reference's with the first two axes exchanged: one side has the batch first, the other "
               "time (batch_first, time_major)")


def _time(found: Evidence) -> Message | None:
    """A recurrent layer that goes along the other axis: only its very first step is the same."""
    left, right = found.reference, found.twin
    if left.shape != right.shape or left.ndim != 3 or 1 in left.shape[:2] or alike(left, right):
        return None
    first = [found.argument(word, RECURRENT, side) for word, side in (("batch_first", "reference"), ("time_major", "twin"))]
    if not all(any(found.calls(RECURRENT, side)) for side in ("reference", "twin")) or bool(first[0]) != bool(first[1]):
        return None
    forward = slice(None, left.shape[2] // 2)  # of two directions the one whose first step is the first; of one, a half of it
    if not alike(left[0, 0, forward], right[0, 0, forward]):
        return None
    return say("of the first sequence the first step alone is equal: one side has the batch first, the other time (torch's "
               "batch_first is False where it is not given, and so is Paddle's time_major)")


RECURRENT = ("LSTM", "GRU", "RNN", "SimpleRNN", "BiRNN")


def _split(found: Evidence) -> Message | None:
    """An integer that is a size for torch and a number of parts for Paddle."""
    left, right = found.reference.shape, found.twin.shape
    odd = [axis for axis, (here, there) in enumerate(zip(left, right, strict=False)) if here != there]
    if len(left) != len(right) or len(odd) != 1:
        return None
    whole = {_whole_number(call) for side in ("reference", "twin") for call in found.calls(("split",), side)}
    size = left[odd[0]]
    if whole != {size} or not alike(*(array[_corner(left, right)] for array in (found.reference, found.twin))):
        return None
    return say("split({size}): torch makes parts of length {size}, Paddle makes {size} parts", size=size)


def _whole_number(call: ast.Call) -> int | None:
    """The integer that a `split` is handed: of a function the second argument, of a method the first."""
    named = [word.value for word in call.keywords if word.arg in ("split_size_or_sections", "split_size", "num_or_sections")]
    values = [value for value in map(constant, [*named, *call.args]) if type(value) is int]
    return values[0] if values else None


def _padding(found: Evidence) -> Message | None:
    """The same values with the padding on other axes."""
    left, right = found.reference, found.twin
    if left.ndim != right.ndim or left.shape == right.shape or not any(found.calls(("pad",))):
        return None
    cores = [_without_border(array) for array in (left, right)]
    if not cores[0].size or not alike(*cores) or cores[0].shape in (left.shape, right.shape):
        return None
    return say("the twin holds the reference's values with the padding on other axes: torch lists the widths from the last axis "
               "on, Paddle, where it is given all of them, from the first")


def _without_border(array: np.ndarray) -> np.ndarray:
    """Without the zeros around it."""
    places = np.argwhere(array)
    if not len(places):
        return array[:0]
    return array[tuple(slice(low, high + 1) for low, high in zip(places.min(0), places.max(0), strict=True))]


# --- values that are missing -----------------------------------------------------------------------------------------

def _dropout(found: Evidence) -> Message | None:
    """Some elements 0, all others larger by one factor, on one side alone."""
    for dropped, whole, side in ((found.twin, found.reference, say("the twin")),
                                 (found.reference, found.twin, say("the reference"))):
        if dropped.shape != whole.shape or whole.dtype.kind != "f":
            continue
        gone, left = (dropped == 0) & (whole != 0), (dropped != 0) & (whole != 0)
        if gone.sum() < 2 or left.sum() < 2 or (dropped[whole == 0] != 0).any():
            continue
        factors = dropped[left] / whole[left]
        if factors.mean() > 1 + ROUNDING and np.ptp(factors) <= ROUNDING * factors.mean() and not _whole_rows(gone):
            return say("a dropout of rate {rate:.3g} acts in {side} alone: one is in train mode, the other in eval mode",
                       rate=1 - 1 / factors.mean(), side=side)
    return None


def _statistics(found: Evidence) -> Message | None:
    """A norm that takes the batch's statistics on one side and the running ones on the other."""
    left, right = found.reference, found.twin
    if left.shape != right.shape or left.ndim < 2 or left.dtype.kind != "f":
        return None
    channels, held = left.shape[1], found.held
    if not all(name in held and held[name].shape == (channels,) for name in ("running_mean", "running_var")):
        return None
    shift = held.get("bias", np.zeros(channels))
    rows = [np.moveaxis(array.astype(np.float64), 1, 0).reshape(channels, -1) for array in (left, right)]
    if rows[0].shape[1] < 3:
        return None
    # What is normalised by its own mean has the mean that the norm's bias gives it.
    of_batch = [bool((np.abs(one.mean(1) - shift) <= ROUNDING * np.abs(one).max()).all()) for one in rows]
    if of_batch[0] == of_batch[1]:
        return None
    batch, other = rows if of_batch[0] else rows[::-1]
    centred = batch - batch.mean(1, keepdims=True)
    spread = (centred**2).sum(1)
    slope = np.divide((centred * other).sum(1), spread, out=np.ones(channels), where=spread > 0)
    at_shift = other.mean(1) + slope * (shift - batch.mean(1))  # of what the batch's statistics would make zero
    line = slope[:, None] * (batch - shift[:, None]) + at_shift[:, None]
    if not alike(other, line) or (slope <= 0).any():
        return None
    if (np.abs(slope - 1) <= ROUNDING).all() or np.abs(at_shift).max() <= ROUNDING * np.abs(other).max():
        return None  # a bias, or both weight and bias, are missing on one side
    return say("{side} normalises by the statistics of the batch, the other side by the running ones: one is in train mode, the "
               "other in eval mode (train(), eval(), training, use_global_stats)",
               side=say("the reference") if of_batch[0] else say("the twin"))


def _padding_row(found: Evidence) -> Message | None:
    """Rows of zeros on one side, where the other has one and the same row; all other rows are equal."""
    left, right = found.reference, found.twin
    if left.shape != right.shape or left.ndim < 2 or left.dtype.kind != "f":
        return None
    rows = [array.reshape(-1, array.shape[-1]) for array in (left, right)]
    for empty, full, side in ((rows[1], rows[0], say("the twin")), (rows[0], rows[1], say("the reference"))):
        zero = ~empty.any(1) & full.any(1)
        if not zero.any() or zero.all() or not alike(empty[~zero], full[~zero]):
            continue
        if zero.sum() == 1 and not any(found.calls(("Embedding", "embedding"))):
            continue  # a lone row may be empty for many reasons
        if alike(full[zero], np.broadcast_to(full[zero][:1], full[zero].shape)):
            return say("{side} has zeros wherever the other has one certain row, and all other rows are equal: padding_idx (torch "
                       "keeps that row out of the gradient, Paddle gives zeros for it)", side=side)
    return None


# --- values by a factor ----------------------------------------------------------------------------------------------

def _exclusive(found: Evidence) -> Message | None:
    """A pooling whose borders are divided by another count: the same in every channel, 1 inside, a ratio of counts outside."""
    left, right = found.reference, found.twin
    if left.shape != right.shape or left.ndim < 3 or left.dtype.kind != "f" or not left.all():
        return None
    with np.errstate(over="ignore"):
        ratios = (right / left).reshape(-1, *left.shape[2:])
    ratio = ratios[0]
    if ratios.shape[0] < 2 or not np.isfinite(ratios).all() or (ratio <= 0).any():
        return None
    if np.abs(ratios - ratio).max() > ROUNDING * ratio.max():
        return None
    inside = ratio[tuple(slice(1, -1) for _ in ratio.shape)]
    if not inside.size or np.abs(inside - 1).max() > ROUNDING:
        return None
    larger = ratio.max() if ratio.max() > 1 + ROUNDING else 1 / ratio.min()
    counts = np.arange(1, 65) * larger  # of all values beside those that are no padding: a whole number of them
    if larger <= 1 + ROUNDING or (np.abs(counts - counts.round()) > ROUNDING * counts).all():
        return None
    if ratio.max() > 1 + ROUNDING:
        return say("the borders alone differ, in every channel by the same factors, {factor:.6g} at most: the reference's average "
                   "counts padding, the twin's leaves it out (count_include_pad, exclusive)", factor=larger)
    return say("the borders alone differ, in every channel by the same factors, {factor:.6g} at most: the twin's average "
               "counts padding, the reference's leaves it out (count_include_pad, exclusive)", factor=larger)


def _beta_or_delta(found: Evidence) -> Message | None:
    """Huber is delta times smooth L1."""
    names = ("smooth_l1_loss", "SmoothL1Loss", "huber_loss", "HuberLoss")
    beta = next((value for name in ("beta", "delta") if (value := found.argument(name, names)) is not None), None)
    left, right = found.reference, found.twin
    if not isinstance(beta, (int, float)) or beta <= 0 or beta == 1 or left.shape != right.shape or not left.any():
        return None
    for factor in (beta, 1 / beta):
        if alike(left * factor, right):
            return say("the twin's loss is {factor:.6g} times the reference's, which is its beta or delta ({beta:.6g}) or one over "
                       "it: Paddle's smooth_l1_loss(delta) is Huber, delta times smooth L1", factor=factor, beta=beta)
    return None


def _momentum(found: Evidence) -> Message | None:
    """A running statistic that moved as 1 - momentum would have moved it."""
    start = found.held.get(found.event.key.variable)
    if start is None or found.event.key.stage != "state" or not start.shape == found.reference.shape == found.twin.shape:
        return None
    moved, other = (array.astype(np.float64) - start for array in (found.reference, found.twin))
    momentum = found.argument("momentum", ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "InstanceNorm1d",
                                           "InstanceNorm2d", "InstanceNorm3d"))
    momentum = 0.1 if momentum is None else momentum  # torch's default
    if not isinstance(momentum, float) or not 0 < momentum < 1 or abs(momentum - 0.5) < 1e-3 or not moved.any():
        return None
    if not alike(moved * ((1 - momentum) / momentum), other):
        return None
    return say("the twin's running statistic moved {factor:.6g} times as far, as 1 - momentum makes it ({momentum:.6g}): torch's "
               "momentum is the new batch's share, Paddle's that of what was", factor=(1 - momentum) / momentum,
               momentum=1 - momentum)


Cause = Callable[[Evidence], "Message | None"]
CAUSES: tuple[Cause, ...] = (_momentum, _beta_or_delta, _first_axes, _time, _split, _padding, _padding_row, _dropout, _statistics,
                             _exclusive)


# --- reading values and statements -----------------------------------------------------------------------------------

def _corner(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[slice, ...]:
    """What both shapes have."""
    return tuple(slice(min(here, there)) for here, there in zip(left, right, strict=True))


def _whole_rows(gone: np.ndarray) -> bool:
    """Whether whole vectors along the last axis are gone, and nothing else."""
    return gone.ndim > 1 and gone.shape[-1] > 1 and bool((gone.all(-1) == gone.any(-1)).all())
