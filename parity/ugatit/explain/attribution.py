"""How much of the divergence is whose: effects of faults alone, of their absence among the others, and how they interact.

Everything is read off loss courses. A course L(S) is the D and G losses of the twin with the faults S, step by step; the
distance of two courses is their largest relative difference over both losses and all steps (relative to the reference's):

    effect of i alone                d(L({i}), L({}))
    what is missing without i        d(L(all), L(all without i))
    effect of i in presence of j     d(L({i, j}), L({j}))

    j masks i      adding i to j changes the losses by at most half of what i does alone
    j amplifies i  adding i to j changes them by at least twice as much

A pair is only judged where i's effect alone, over the pair's steps, stands above the noise: above M times the distance of
the reference's noise draws from the reference over as many steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.numbers.noise import M

Course = Mapping[str, Sequence[float]]
LOSSES = ("G_loss", "D_loss")
FACTOR = 2.0  # from which an interaction is called one: a convention


def relative(course: Course, other: Course, reference: Course, loss: str, steps: int | None = None) -> np.ndarray:
    """|difference| over |reference|, step by step, as far as both courses go; NaN is infinitely far."""
    length = min(len(course[loss]), len(other[loss]), len(reference[loss]), steps or len(reference[loss]))
    a, b, unit = (np.asarray(each[loss][:length], np.float64) for each in (course, other, reference))
    return np.nan_to_num(np.abs(a - b) / np.abs(unit), nan=np.inf, posinf=np.inf)


def distance(course: Course, other: Course, reference: Course, steps: int | None = None) -> float:
    """The largest relative difference over both losses; infinite where a course broke off."""
    if not all(len(each[loss]) for each in (course, other) for loss in LOSSES):
        return float("inf")
    return max(float(relative(course, other, reference, loss, steps).max()) for loss in LOSSES)


def envelope(draws: Sequence[Course], reference: Course, loss: str) -> np.ndarray:
    """What rounding alone does to a loss, step by step: the farthest noise draw, and no less than one rounding before it."""
    noise = np.max([relative(draw, reference, reference, loss) for draw in draws], axis=0)
    return np.maximum.accumulate(np.maximum(noise, np.finfo(np.float64).eps))


@dataclass(frozen=True)
class Effect:
    """Of one fault on the losses.

    alone, missing: as above (missing None where not asked for). noise: the same distance of the reference's noise draws, float64.
    other: alone, from another start, and its rank there. first, last: the relative difference of (G, D) at the first and the
    last step. seen: the losses in which it stands above the noise of *float32*, in which people train.
    """

    name: str
    rank: int
    alone: float
    missing: float | None
    noise: float
    other: float
    other_rank: int
    first: tuple[float, float]
    last: tuple[float, float]
    seen: tuple[str, ...]

    @property
    def masked(self) -> str | None:
        """By the other faults together: "masked", "amplified" or neither."""
        return None if self.missing is None else interaction(self.missing, self.alone)


@dataclass(frozen=True)
class Pair:
    """one's effect, over the pair's few steps, alone and with `other` present."""

    one: str
    other: str
    alone: float
    together: float
    noise: float

    @property
    def interaction(self) -> str | None:
        return interaction(self.together, self.alone) if self.alone > M * self.noise else None


def interaction(together: float, alone: float) -> str | None:
    """"masked" at half and less, "amplified" at twice and more."""
    if together <= alone / FACTOR:
        return "masked"
    return "amplified" if together >= alone * FACTOR else None


def effects(names: Sequence[str], courses: Mapping[tuple[str, ...], Course], reference: Course, draws: Sequence[Course],
            single: Course, single_draws: Sequence[Course], others: Mapping[str, Course], other_reference: Course,
            whole: Sequence[str]) -> list[Effect]:
    """All faults, the largest effect first.

    courses: fault set -> course: (), each name, `whole` (the faults that are also judged together) and whole without each of its
    own. draws: of the reference, float64; single, single_draws: the reference and its draws in float32. others: fault -> course
    from the other start.
    """
    noise = max(distance(draw, reference, reference) for draw in draws)
    alone = {name: distance(courses[name,], courses[()], reference) for name in names}
    other = {name: distance(others[name], other_reference, other_reference) for name in names}
    order, there = (sorted(names, key=lambda name, found=found: -found[name]) for found in (alone, other))
    result = []
    for rank, name in enumerate(order, 1):
        rest = tuple(each for each in whole if each != name)
        missing = distance(courses[tuple(whole)], courses[rest], reference) if name in whole and rest else None
        first, last, seen = _ends(courses[name,], reference, single, single_draws)
        result.append(Effect(name, rank, alone[name], missing, noise, other[name], there.index(name) + 1, first, last, seen))
    return result


def _ends(course: Course, reference: Course, single: Course, single_draws: Sequence[Course]) -> tuple:
    apart = {loss: relative(course, reference, reference, loss) for loss in LOSSES}
    if not all(len(found) for found in apart.values()):
        return (np.inf, np.inf), (np.inf, np.inf), LOSSES
    seen = tuple(loss for loss in LOSSES
                 if (apart[loss] > M * envelope(single_draws, single, loss)[:len(apart[loss])]).any())
    return *(tuple(float(apart[loss][at]) for loss in LOSSES) for at in (0, -1)), seen


def pairs(courses: Mapping[tuple[str, ...], Course], together: Mapping[tuple[str, str], Course],
          reference: Course, draws: Sequence[Course]) -> list[Pair]:
    """Both directions of every pair that was run. together: (one, other) -> course of both."""
    found = []
    for (one, other), both in together.items():
        steps = len(both["G_loss"])
        noise = max(distance(draw, reference, reference, steps) for draw in draws)
        for i, j in ((one, other), (other, one)):
            found.append(Pair(i, j, distance(courses[i,], courses[()], reference, steps),
                              distance(both, courses[j,], reference, steps), noise))
    return found
