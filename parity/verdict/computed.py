"""What the twin computes in the place of what the reference computes: as ports show it that were written by hand.

A norm by another variance or without its epsilon, a parameter that is clipped before it is used, another activation, pooling or
resizing, a weight that another norm divides, statistics that stand still, a gradient that passes an activation, or simply another
value of the reference's. Each is a model of the twin's values that has to leave next to nothing of the distance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from parity.messages import Message, say
from parity.numbers.arrays import ACCOUNTED
from parity.trace.events import Event, Key
from parity.verdict.evidence import Evidence, alike

FEW = 3  # values, of which nearly everything is a multiple


def _variance(found: Evidence) -> Message | None:
    """A variance over n for one over n - 1, or the other way round."""
    if not any(found.calls(("var", "std", "var_mean", "std_mean"))):
        return None
    root = 0.5 if any(found.calls(("std", "std_mean"))) else 1.0
    factor = _factor(found.reference, found.twin) ** (1 / root)
    if not 0.4 < factor < 2.5 or factor == 1:
        return None
    count = round(1 / (1 - factor)) if factor < 1 else round(factor / (factor - 1))
    if count < 2 or not found.explained_by(found.reference * (((count - 1) / count) ** (root if factor < 1 else -root))):
        return None
    if factor < 1:
        return say("the twin's variance is the reference's times (n - 1) / n, of n = {count}: it divides by n, torch's var by "
                   "n - 1 where unbiased is not given", count=count)
    return say("the twin's variance is the reference's times n / (n - 1), of n = {count}: it divides by n - 1, the reference "
               "by n", count=count)


def _reduced(found: Evidence) -> Message | None:
    """A statistic that one side takes over more axes."""
    left, right = found.reference.shape, found.twin.shape
    if left == right or len(left) != len(right) or not any(found.calls(_REDUCE)):
        return None
    odd = [axis for axis, (ours, theirs) in enumerate(zip(left, right, strict=True)) if ours != theirs]
    names = say("the reference"), say("the twin")
    for shape, (side, other) in ((left, names), (right, names[::-1])):
        if all(shape[axis] == 1 for axis in odd):
            return say("{side} takes it over axis {axes} as well, which {other} keeps", side=side, other=other,
                       axes=", ".join(map(str, odd)))
    return None


_REDUCE = ("mean", "sum", "var", "std", "var_mean", "std_mean", "amax", "amin", "norm")


def _standardised(found: Evidence) -> Message | None:
    """Values that are centred alike, divided by another standard deviation."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if left.shape != right.shape:
        return None
    for axes in (2, 1):
        if left.ndim <= axes:
            continue
        ours, theirs = (array.reshape(int(np.prod(array.shape[:axes])), -1) for array in (left, right))
        if ours.shape[1] <= FEW or not (_centred(ours) and _centred(theirs)):
            continue
        power = (ours * ours).sum(1)
        factors = np.divide((ours * theirs).sum(1), power, out=np.ones(len(ours)), where=power > 0)
        if (factors > 0).all() and found.explained_by((factors[:, None] * ours).reshape(left.shape)):
            return _divided_by(ours, theirs, factors)
    return None


def _divided_by(ours: np.ndarray, theirs: np.ndarray, factors: np.ndarray) -> Message:
    count = ours.shape[1]
    for grown, text in ((factors**2, say("the twin divides by the root of a variance over n = {count}, the reference over n - 1",
                                         count=count)),
                        (factors**-2, say("the twin divides by the root of a variance over n - 1, the reference over n = {count}",
                                          count=count))):
        share = (grown - 1) * (count - 1)  # 1 but for the epsilon
        if (share > 0.5).all() and 0.9 < share.max() < 1 + ACCOUNTED:
            return text
    for ddof in (0, 1):
        short = [np.abs(array.var(1, ddof=ddof) - 1).max() for array in (ours, theirs)]  # what an epsilon takes from 1
        if short[1] <= ACCOUNTED * short[0] and short[0] < 0.5:
            return say("the twin's values have the variance 1, the reference's fall short of it by up to {short:.3g}: the twin "
                       "adds no epsilon", short=short[0])
        if short[0] <= ACCOUNTED * short[1] and short[1] < 0.5:
            return say("the reference's values have the variance 1, the twin's fall short of it by up to {short:.3g}: the "
                       "reference adds no epsilon", short=short[1])
    return say("both are centred alike and divided by other numbers, which are {low:.6g} to {high:.6g} times as large in the "
               "reference: another variance, or another epsilon", low=factors.min(), high=factors.max())


def _clipped(found: Evidence) -> Message | None:
    """Channels differ where a parameter of theirs lies outside of [0, 1], and there alone."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if left.shape != right.shape or left.ndim < 2:
        return None
    distance = np.abs(left - right).max(axis=tuple(axis for axis in range(left.ndim) if axis != 1))
    for name, array in found.held.items():
        if array.size != left.shape[1] or array.size < FEW + 1:
            continue
        outside = (array.reshape(-1) < 0) | (array.reshape(-1) > 1)
        if outside.any() and (~outside).sum() >= 2 and distance[~outside].max() <= ACCOUNTED * distance[outside].min():
            return say("the two agree where {name} lies in [0, 1], and differ where it does not: one side clips it before it is "
                       "used", name=name)
    return None


def _activated(found: Evidence) -> Message | None:
    """An activation too many, or too few, or another slope of one."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if left.shape != right.shape or left.size < 2 or found.event.key.stage == "gradients":
        return None  # a function without parameters that fits two numbers is no chance
    for given, made, side, other in ((left, right, say("the twin"), say("the reference")),
                                     (right, left, say("the reference"), say("the twin"))):
        for name, function in _FUNCTIONS.items():
            if _made_by(found, function, given, made):
                return say("{side}'s value is the {name} of {other}'s: an activation that only one side has", side=side, name=name,
                           other=other)
    negative = left < 0
    if min(negative.sum(), (~negative).sum()) < FEW:
        return None
    slope = _factor(left[negative], right[negative])
    if slope > 0 and found.explained_by(np.where(negative, slope * left, left)):
        return say("the values below zero are the reference's times {slope:.4g}, those above are equal: an activation of another "
                   "slope", slope=slope)
    return None


def _made_by(found: Evidence, function: Callable[[np.ndarray], np.ndarray], given: np.ndarray, made: np.ndarray) -> bool:
    """Whether one side's value is a function of the other's."""
    if given is made:
        return False
    with np.errstate(all="ignore"):
        model = function(given)
    swapped = Evidence(given, made, found.event)
    return swapped.explained_by(model)


_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "exp": np.exp, "abs": np.abs,
    "square": np.square,
}


def _pooled(found: Evidence) -> Message | None:
    """As many values in the place of each one, of which it is the mean or the largest."""
    sides = (found.reference, found.twin, say("the twin")), (found.twin, found.reference, say("the reference"))
    for coarse, fine, side in sides:
        many, rest = divmod(fine.size, max(coarse.size, 1))
        if rest or many < 2 or not coarse.size or coarse.ndim < 2 or coarse.shape[0] != fine.shape[0]:
            continue
        cells = fine.astype(np.float64).reshape(coarse.size, many)
        for name, one in (("mean", cells.mean(1)), ("maximum", cells.max(1))):
            if np.abs(one - coarse.reshape(-1)).max() <= 1e-5 * np.abs(one).max():
                return say("{side} has {many} values in the place of each one, of which that is the {name}: it is pooled to "
                           "another size", side=side, many=many, name=name)
    return None


def _resized(found: Evidence) -> Message | None:
    """Nearest here, bilinear there."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if left.shape != right.shape or left.ndim != 4:
        return None
    for border in (0, 1):  # of padding that follows
        inner = slice(border, -border or None)
        ours, theirs = left[..., inner, inner], right[..., inner, inner]
        if ours.shape[2] % 2 or ours.shape[3] % 2 or min(ours.shape[2:]) < 4:
            continue
        for nearest, smooth, side in ((ours, theirs, say("the twin")), (theirs, ours, say("the reference"))):
            small = nearest[..., ::2, ::2]
            if not np.array_equal(small.repeat(2, 2).repeat(2, 3), nearest):
                continue
            for aligned in (False, True):
                rows, columns = (_interpolation(size, aligned) for size in small.shape[2:])
                if Evidence(nearest, smooth, found.event).explained_by(rows @ small @ columns.T):
                    return say("{side} interpolates between the values (bilinear), which the other repeats (nearest)", side=side)
    return None


def _interpolation(size: int, aligned: bool) -> np.ndarray:
    """The matrix that makes `size` numbers twice as many, linearly. aligned: with the first and last in their places."""
    places = np.linspace(0, size - 1, 2 * size) if aligned else np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1)
    low = np.minimum(places.astype(int), size - 2)
    matrix = np.zeros((2 * size, size))
    matrix[np.arange(2 * size), low] = 1 - (places - low)
    matrix[np.arange(2 * size), low + 1] += places - low
    return matrix


def _normed(found: Evidence) -> Message | None:
    """A layer whose weight is divided by another norm: but for its bias, all is multiplied by one number."""
    kept = next((name for name in ("weight_orig", "weight_g", "parametrizations.weight.original") if name in found.held), None)
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if kept is None or left.shape != right.shape or left.size <= FEW or found.event.key.stage != "forward":
        return None
    bias = found.held.get("bias")
    axis = 1 if left.ndim > 2 else left.ndim - 1
    if bias is not None and bias.shape == left.shape[axis:axis + 1]:
        shift = bias.astype(np.float64).reshape([-1 if number == axis else 1 for number in range(left.ndim)])
    else:
        shift = np.zeros([1] * left.ndim)
    factor = _factor(left - shift, right - shift)
    if not found.explained_by(shift + factor * (left - shift)):
        return None
    return say("but for its bias the twin's is the reference's times {factor:.6g}: {name} is divided by another norm (its "
               "dimension, how its u and v moved on, or whether they did)", factor=factor, name=kept)


def _weighed(found: Evidence) -> Message | None:
    """Each channel by a number of its own."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if left.shape != right.shape or left.ndim < 3 or left[:, 0].size <= FEW or left.shape[1] < 2:
        return None
    factors = np.array([_factor(left[:, number], right[:, number]) for number in range(left.shape[1])])
    if not found.explained_by(left * factors.reshape([-1 if axis == 1 else 1 for axis in range(left.ndim)])):
        return None
    equal = int((np.abs(factors - 1) <= 1e-5).sum())
    return say("each channel of the twin's is the reference's times a number of its own, {low:.4g} to {high:.4g}; {equal} of "
               "{count} are equal: other weights for the channels", low=factors.min(), high=factors.max(), equal=equal,
               count=len(factors))


def _biased(found: Evidence) -> Message | None:
    """Each channel shifted by a number of its own."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if left.shape != right.shape or left.ndim < 3 or left[:, 0].size <= FEW or left.shape[1] < 2:
        return None
    shifts = (right - left).mean(tuple(axis for axis in range(left.ndim) if axis != 1), keepdims=True)
    if not found.explained_by(left + shifts):
        return None
    bias = found.held.get("bias")
    if bias is not None and bias.size == shifts.size and alike(-bias.reshape(-1), shifts.reshape(-1)):
        return say("the twin's is the reference's without its bias")
    return say("each channel of the twin's is the reference's plus a number of its own, {low:.4g} to {high:.4g}: another bias",
               low=shifts.min(), high=shifts.max())


def _standing(found: Evidence) -> Message | None:
    """A statistic that one side never moves; or weights that it never copies."""
    start = found.held.get(found.event.key.variable)
    if found.event.key.stage != "state" or start is None or not start.shape == found.reference.shape == found.twin.shape:
        return None
    stands = [alike(array, start) for array in (found.reference, found.twin)]
    if stands == [False, True] and found.event.key.variable.startswith("running_"):
        return say("it stands still in the twin, where a forward in train mode moves the reference's")
    if stands == [False, True]:
        return say("it stands still in the twin, where the reference's moves")
    if stands == [True, False]:
        return say("it moves in the twin, where the reference's stands still")
    return None


def _passed(found: Evidence) -> Message | None:
    """A gradient that is nowhere zero where the other side's activation let nothing through."""
    left, right = found.reference.astype(np.float64), found.twin.astype(np.float64)
    if found.event.key.stage != "gradients" or left.shape != right.shape or left.size <= FEW:
        return None
    for masked, whole, side in ((left, right, say("the twin")), (right, left, say("the reference"))):
        shut = (masked == 0) & (whole != 0)
        if min(shut.sum(), (masked != 0).sum()) < FEW:
            continue
        if Evidence(whole, masked, found.event).explained_by(np.where(shut, 0, whole)):
            return say("the two agree wherever a gradient comes back in both, and in {side} one comes back everywhere: its "
                       "backward does not see an activation (a ReLU that writes in place, set_value)", side=side)
    return None


def nearby(key: Key, truth: Iterable[Event]) -> Iterator[Event]:
    """The reference's values that a twin may have confused with this one: of its module, of the one around it, of all in these."""
    around = (key.module, _parent(key.module))
    for event in truth:
        other = event.key
        if (other.stage == "forward" and (other.step, other.phase) == (key.step, key.phase) and other != key
                and (other.module in around or _parent(other.module) in around)):
            yield event


def _parent(module: str) -> str:
    return module.rpartition(".")[0]


def taken(found: Evidence) -> Message | None:
    """Another value of the reference's in the place of this one."""
    if found.twin.dtype.kind != "f" or found.twin.size <= FEW:
        return None
    for other in found.others:
        array = other.array
        if (array is not None and array.shape == found.twin.shape and found.explained_by(array.astype(np.float64))):
            return say("the twin has here what is {module} {variable} in the reference ({site})", module=other.key.module,
                       variable=other.key.variable, site=str(other.site or ""))
    return None


def _centred(rows: np.ndarray) -> bool:
    return bool((np.abs(rows.mean(1)) <= 1e-4 * np.sqrt((rows * rows).mean(1))).all())


def _factor(left: np.ndarray, right: np.ndarray) -> float:
    """By which number the one is multiplied to come nearest to the other; 1 of nothing."""
    left, right = left.astype(np.float64).reshape(-1), right.astype(np.float64).reshape(-1)
    if left.shape != right.shape or not left.size:
        return 1.0
    unit = np.abs(left).max()
    return float((left / unit) @ (right / unit) / ((left / unit) @ (left / unit))) if unit > 0 else 1.0


Computed = Callable[[Evidence], "Message | None"]
COMPUTED: tuple[Computed, ...] = (_standing, _passed, _variance, _reduced, _clipped, _standardised, _activated, _pooled, _resized,
                                  _normed, _weighed, _biased)
