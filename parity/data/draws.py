"""Random numbers by place: what both sides draw in one place (an epoch's order, a sample, a batch) are the same numbers.

So one draw too many moves nothing but the sample in which it is made, and how a loader reads ahead means nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from parity.frameworks import FRAMEWORKS, host_random
from parity.numbers.distributions import Drawn, Numbers
from parity.numbers.noise import generator

_EPS = float(np.finfo(np.float32).eps)


@dataclass
class Place:
    """What was drawn in one place. met: each of the twin's draws with its counterpart, if it has one."""

    reference: list[Drawn] = field(default_factory=list)
    met: list[tuple[int | None, Drawn]] = field(default_factory=list)

    def number(self, drawn: Drawn, side: int) -> int | None:
        """That of the reference's draw whose numbers this one is given: the first with its parameters, else the first of its kind,
        else the first that it can be made of."""
        if side == 0:
            self.reference.append(drawn)
            return len(self.reference) - 1
        taken = {number for number, _ in self.met}
        left = [number for number, one in enumerate(self.reference)
                if number not in taken and (_equal(one, drawn) or not _seeds(one))]
        ranks = (_equal, lambda one, other: one.kind == other.kind and one.fits(other), Drawn.fits)
        found = next((number for rank in ranks for number in left if rank(self.reference[number], drawn)), None)
        self.met.append((found, drawn))
        return found

    @property
    def odd(self) -> tuple[Drawn | None, Drawn | None] | None:
        """A draw of each side that the other does not make, (the reference's, the twin's); None where both draw the same."""
        left, lone = list(self.reference), [drawn for _, drawn in self.met]
        for same in (_equal, Drawn.agrees):
            for drawn in list(lone):
                found = next((number for number, one in enumerate(left) if same(one, drawn)), None)
                if found is not None:
                    del left[found], lone[lone.index(drawn)]
        sides = [next((one for one in drawn if not _seeds(one)), None) for drawn in (left, lone)]
        return (sides[0], sides[1]) if any(sides) else None


def _equal(one: Drawn, other: Drawn) -> bool:
    """Whether the two are one distribution; a parameter may be a float32 that was computed (torchvision's logarithm of a ratio)."""
    return (one.kind == other.kind and len(one.parameters) == len(other.parameters) and one.fits(other)
            and np.allclose(one.parameters, other.parameters, rtol=4 * _EPS, atol=0, equal_nan=True))


def _seeds(drawn: Drawn) -> bool:
    """Whether what is drawn seeds another generator, as torch's samplers do: one of so many integers."""
    return drawn.kind == "integers" and not drawn.shape and drawn.parameters[1] - drawn.parameters[0] >= 2 ** 31


class Draws:
    """Of one comparison: its places, and the numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.places: dict[tuple, Place] = {}

    @contextmanager
    def at(self, place: tuple, side: int, source: Container[str], held: host_random.Held) -> Iterator[None]:
        """While active, whatever draws in this thread, draws there. The reference comes first, and begins the place anew."""
        if side == 0:
            self.places[place] = Place()
        here = self.places.setdefault(place, Place())
        here.met = [] if side else here.met
        numbers = Numbers(functools.partial(self._generator, place, here, side))
        with ExitStack() as stack:
            for framework in FRAMEWORKS:  # a twin may use the reference's transforms
                stack.enter_context(framework.drawing(numbers))
            stack.enter_context(host_random.drawing(numbers, held, source))
            yield

    def _generator(self, place: tuple, here: Place, side: int, drawn: Drawn) -> np.random.Generator:
        number = here.number(drawn, side)
        return generator("data", self._seed, *place, *(("alone", len(here.met)) if number is None else (number,)))
