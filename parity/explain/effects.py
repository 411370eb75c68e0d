"""How much of what differs is whose: read off the courses of twins in which some of the lines are righted, and some are not.

    alone     only this line is wrong: its course beside that of the twin in which all are righted
    missing   only this line is righted: that course beside the twin's as it is

The distance of two courses is their largest difference over all losses and steps, relative to the reference's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.explain.courses import totals
from parity.numbers.noise import M

FACTOR = 2.0  # from which on a line is called masked or amplified by the others: a convention

Losses = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Effect:
    """Of one line on the losses of a training. seen: lane -> the losses in which it stands above what rounding alone does there.
    cosine: the lowest, of a network's first update with the reference's, where this line alone is wrong; healthy: where none is.
    failure: what the twin raises where only this line is wrong."""

    alone: float
    missing: float
    seen: Mapping[str, tuple[str, ...]]
    cosine: float
    failure: str | None = None
    healthy: float = 1.0

    @property
    def harmless(self) -> bool:
        """Whether it changes no loss by more than rounding does, and no first update."""
        return self.failure is None and not self.seen["float64"] and self.cosine > self.healthy - SAME_DIRECTION

    @property
    def masked(self) -> str | None:
        """By the other lines together."""
        if self.missing <= self.alone / FACTOR:
            return "masked"
        return "amplified" if self.missing >= self.alone * FACTOR else None


SAME_DIRECTION = 1e-12
"""Of two cosines: what summing the squares of an update rounds, 1e-16 for each term and 1e4 terms at the worst."""


@dataclass(frozen=True)
class Noise:
    """Of one lane: see `courses.noise`."""

    lane: str
    reference: Losses
    envelope: Losses

    def above(self, one: Losses, other: Losses) -> tuple[str, ...]:
        """The losses in which two courses are further apart than M times what rounding does, at some step."""
        return tuple(name for name in totals(self.reference)
                     if (apart(one, other, self.reference, name) > M * self.relative(name)[:_length(one, other, name)]).any())

    def relative(self, name: str) -> np.ndarray:
        """Relative to the loss; no less than one rounding, nor than at an earlier step."""
        found = np.asarray(self.envelope[name]) / _sizes(self.reference[name])
        return np.maximum.accumulate(np.maximum(np.nan_to_num(found, nan=np.inf), np.finfo(self.lane).eps))

    @property
    def largest(self) -> float:
        return max(float(self.relative(name).max()) for name in totals(self.reference))


def _sizes(losses: Sequence[float]) -> np.ndarray:
    sizes = np.abs(np.asarray(losses, np.float64))
    return np.where(sizes > 0, sizes, 1.0)


def _length(one: Losses, other: Losses, name: str) -> int:
    return min(len(one.get(name, ())), len(other.get(name, ())))


def apart(one: Losses, other: Losses, reference: Losses, name: str) -> np.ndarray:
    """|difference| over |reference|, step by step, as far as both go; NaN is infinitely far."""
    length = _length(one, other, name)
    a, b = (np.asarray(each.get(name, ())[:length], np.float64) for each in (one, other))
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.abs(a - b) / _sizes(reference[name][:length]), nan=np.inf, posinf=np.inf)


def distance(one: Losses, other: Losses, reference: Losses) -> float:
    """The largest over all losses; infinite where a course broke off at once."""
    found = [apart(one, other, reference, name) for name in totals(reference)]
    return max((float(each.max()) if each.size else np.inf for each in found), default=np.inf)


def effect(line: int, lines: int, courses: Mapping[frozenset[int], Mapping[str, Any]], noises: Mapping[str, Noise]) -> Effect:
    """courses: which lines are righted -> what `courses.course` returned: none, each alone, all but each, all."""
    everything = frozenset(range(lines))
    reference = noises["float64"].reference
    without, righted, only, as_it_is = (courses[which] for which in (
        everything - {line}, everything, frozenset({line}), frozenset()))
    missing = distance(as_it_is["twin"], only["twin"], reference)
    seen = {lane: noise.above(without["twin"], righted["twin"]) for lane, noise in noises.items()}
    return Effect(distance(without["twin"], righted["twin"], reference), missing, seen,
                  min(without["cosines"].values(), default=1.0), without["failure"],
                  min(righted["cosines"].values(), default=1.0))
