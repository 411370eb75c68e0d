"""The noise floors of a run: what rounding alone does to each of its values (`parity.numbers.noise`).

The reference is run again, moved by its own rounding, and how far that carries each value is kept. `measure` is the one recipe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from parity.numbers.arrays import eps_of
from parity.numbers.noise import ACCURACY, DRAWS, REFORMULATION, M
from parity.numbers.strata import Floors, tops
from parity.trace.events import Event, Key, Sink
from parity.verdict.findings import Finding
from parity.verdict.sinks import Distances, Store, borders_of


class Draw(NamedTuple):
    """One run of the reference for its noise.

    number: of the draw, by which inputs and weights are moved by one unit in the last place; None: they stay as they are.
    rounding: the result of every operation that rounds is moved, too. pairwise: its sums by no more than pairwise summation errs.
    Where that loses a value in every draw (one that the program takes apart by asking which operand a result is equal to: 0 / 0),
    there is one draw without.
    """

    number: int | None
    rounding: bool
    pairwise: bool = False


UNMOVED = Draw(None, rounding=False)


Again = Callable[[Sink, Draw], object]
"""Runs the reference once more into the sink, moved as the draw says."""


def measure(again: Again, truth: Store, lane: str, *, truth_lane: str = "float64", draws: int = DRAWS, gradients: bool = True,
            spread: bool = False, carried: Carried | None = None) -> dict[Key, float]:
    """The noise floor of every value of `truth`: of all draws at once. carried: the floors of other steps. The rest: `Noise`."""
    noise = Noise(again, truth, lane, truth_lane=truth_lane, draws=draws, gradients=gradients, spread=spread)
    floors = noise.floors(draws)
    if carried is not None:
        carried.over(truth, noise.seen, floors)
    return floors


class Noise:
    """The noise of `truth`, which the reference computed in `truth_lane`, draw by draw.

    Where that is the lane itself, the floors are what rounding does to the values. A float32 run beside a float64 truth has an
    error of its own, and the floors are that: is the twin as accurate?
    Beside a truth of another lane there are draws, too, in which every operation rounds (see `floors_of`). gradients: whether the
    runs go backward; only then are sums of any order allowed. spread: run it unmoved as well, for a device that does not repeat
    itself. draws: how many there are to be.
    """

    def __init__(self, again: Again, truth: Store, lane: str, *, truth_lane: str = "float64", draws: int = DRAWS,
                 gradients: bool = True, spread: bool = False) -> None:
        self._again, self._truth, self._lane, self._draws, self._made = again, truth, lane, draws, -1
        self._accuracy, self._gradients = lane != truth_lane, gradients
        self._unmoved = self._accuracy or spread
        self.seen, self._rounded = Distances(truth), Distances(truth)

    @property
    def fewest(self) -> int:
        """Draws after which there is a floor: none where the unmoved run has one."""
        return 0 if self._unmoved else min(1, self._draws)

    def floors(self, draws: int) -> dict[Key, float]:
        """The floors after so many draws. With fewer than all they are no larger than with all: what is the same by them, is."""
        if self._made < 0:
            self._made = 0
            if self._unmoved:
                self._again(self.seen, UNMOVED)
        for number in range(self._made, draws):
            self._again(self.seen, Draw(number, rounding=not self._accuracy))
            if self._accuracy:
                self._again(self._rounded, Draw(number, rounding=True, pairwise=not self._gradients))
        if draws > self._made and self.seen.is_blind:
            self._again(self.seen, Draw(0, rounding=False))
        self._made = max(self._made, draws)
        runs = self._made + self._unmoved
        return floors_of(self._truth, self.seen, self._lane, self._rounded if self._accuracy else None,
                         limit=ACCURACY if self._accuracy else M,
                         to_come=(self._draws + self._unmoved) / runs if runs else 1.0)

    def is_beyond_doubt(self, finding: Finding, limit: float) -> bool:
        """Whether no further draw can bring this value back within `limit` floors (see `BEYOND`). Of what the draws did not move at
        all they tell nothing; what has no partner, or another shape, they do not touch."""
        if finding.deviation.trouble is not None and finding.deviation.index is None:
            return True
        moved = self.seen.spread(finding.key, finding.deviation.stratum).largest > 0
        return moved and limit * BEYOND < finding.floor_multiple < np.inf


class Carried:
    """The floors of steps of which no draws are made: the largest seen so far, relative to the size of their values."""

    def __init__(self) -> None:
        self._relative: dict[Key, float] = {}  # of step 0, which stands for all

    def over(self, truth: Store, noise: Distances, floors: dict[Key, float]) -> None:
        """Learn from the draws of a step, if there are any, and raise its floors to what earlier steps had."""
        for key, distance in noise.largest.items():
            event, alike = truth.events[key], key._replace(step=0)
            if not borders_of(event):  # a huge element's noise says nothing of the others
                self._relative[alike] = max(self._relative.get(alike, 0.0), distance / event.scale if event.scale else 0.0)
        for key, event in truth.events.items():
            known = self._relative.get(key._replace(step=0), 0.0)
            if known and not borders_of(event):
                floors[key] = max(floors[key], known * event.scale)


def floors_of(truth: Store, noise: Distances, lane: str, rounded: Distances | None = None, *,
              limit: float = M, to_come: float = 1.0) -> dict[Key, float]:
    """The noise floor of every value: what the draws did to it, and never less than its own operation's rounding.

    In float32 a value is not allowed the sqrt(terms) of its own operation's sum by analysis alone: a naive sum over a whole
    feature map is just what makes a twin less accurate than its reference (paddle.var: 3.7e-3). But the reference's own error is
    one draw of what rounding may come to, and small by luck where equal numbers are added (the gradient of a bias before an
    average), or a mean is exact (a row without variance). So the draws in which every operation rounds (rounded) count, too. In a
    forward they add up in pairs, as good kernels do; in a backward in any order, as both frameworks please. The gradient of a local
    is allowed the analysis besides: where a value was broadcast, its gradient is a sum, perhaps one that cancels.

    A gradient below eps^2 of the largest is what one rounding leaves of what another has left (all that a dropout keeps of an
    attention may be weights of 1e-130, of which a softmax in float32 makes 0 or 1e-28): of that nobody asks for accuracy.

    What is analysed rather than measured is believed up to `REFORMULATION` times the measured. Integers and truth values
    do not round: of them, only what the draws turned over is noise. limit: the multiple that the floors are meant for.
    to_come: how many times as many samples there will be in the end; the floors are then none that these could lower.
    """
    eps = float(np.finfo(lane).eps)
    floors = {}
    gradients = [event.scale for key, event in truth.events.items() if key.stage == "gradients" and not key.is_local]
    least = eps**2 * max(gradients, default=0.0) if rounded is not None else 0.0
    for key, event in truth.events.items():
        summed = rounded is not None and key.stage == "gradients" and key.is_local

        def floor(stratum: int, largest: float | None, key: Key = key, event: Event = event, summed: bool = summed) -> float:
            seen = noise.spread(key, stratum)
            measured, analysed = few(seen.samples * to_come, limit) * seen.largest, event.scale
            if rounded is not None:
                measured = max(measured, rounded.spread(key, stratum).largest, least if key.stage == "gradients" else 0.0)
            if summed or lane == "float64":
                analysed = max(analysed, event.unit)
            if rounded is None and largest is not None and _is_beside_it(measured, analysed, largest, eps):
                analysed = largest
            return _believed(event, measured, analysed, largest, eps)

        floors[key] = _in_strata(event, floor)
    return floors


def _in_strata(event: Event, floor: Callable[[int, float | None], float]) -> float:
    """floor: (number of a stratum, its largest magnitude) -> its floor."""
    if not borders_of(event):
        return floor(0, event.largest)
    return Floors(tuple(floor(number, top) for number, top in enumerate(tops(event.array, event.borders))))


def _is_beside_it(measured: float, analysed: float, largest: float, eps: float) -> bool:
    """Whether the magnitude that entered has no part in a value: beside it no digit of the value would be left, and the draws have
    left most of them. So it is with elements that nothing hides of a mask whose others are the lowest number there is."""
    return eps * analysed >= largest > 0 and 0 < measured <= DIGITS_LEFT * largest


def own_rounding(event: Event, eps: float) -> float:
    """The floor of a value of which no draws were made: the rounding of the operation that made it, sums in any order.

    Of what came before it nothing is in it. So it is never above the floor that `floors_of` finds in float64 with draws, and what
    is the same by this floor is the same by that.
    """
    return _in_strata(event, lambda number, largest: _believed(event, 0.0, max(event.scale, event.unit), largest, eps))


def _believed(event: Event, measured: float, analysed: float, largest: float | None, eps: float) -> float:
    """largest: magnitude of the stratum itself, where it was measured."""
    if event.dtype is not None:
        precision = eps_of(event.dtype)  # a program may work in half precision inside, in either lane
        eps, analysed = max(eps, precision), analysed if precision else 0.0
    own = max(measured, eps * largest) if largest is not None else 0.0
    return max(measured, min(eps * analysed, REFORMULATION * own or np.inf))


DIGITS_LEFT = 2.0**-10
"""Of a value, relative to the largest: three of its digits. Less would be left of one that something larger has hidden."""

FALSE_ALARMS = 1e-6  # wanted: at most one healthy value in so many

BEYOND = 5 * 0.8 / FALSE_ALARMS
"""By how much further draws may raise a floor that one draw has measured, even where one single number makes the noise.

It is below s / r in the one with a chance of 0.8 / r (see `few`), and above 5 s in the others with one of 1e-6. What is analysed
is in the floor already, or is believed in proportion to what is measured.
"""


def few(samples: float, limit: float) -> float:
    """By how much to enlarge a floor that is the largest of only so many samples of noise; 1 from six on at limit 16.

    A single number may fall near its reference in every draw by luck: of N normal samples the largest magnitude is below
    s / r with a chance of about (0.8 / r)^N. For that to be FALSE_ALARMS at r = limit, the floor grows by
    0.8 FALSE_ALARMS^(-1/N) / limit: 5 for one number in three draws.
    """
    return max(1.0, 0.8 * FALSE_ALARMS ** (-1 / samples) / limit) if samples else 1.0
