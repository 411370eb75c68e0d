"""Randomness is an input: the numbers that the reference draws are those of every other run of the two programs.

A `Tape` lists what the reference drew, in order: the distribution, its parameters, the shape, and in which module call. Each draw
has a random generator of its own, named by the draw's number, so nothing is kept of the numbers themselves. Every other run (the
twin, a noise draw, a replay) has a `Hand` that finds the counterpart of each of its draws, and with it the same numbers.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from parity.numbers.distributions import Drawn
from parity.numbers.noise import generator
from parity.trace.events import Key

Place = tuple[tuple[str, int], ...]
"""The module calls around a draw, from ("", 0), which is around all: (path in the reference's names, number of the call)."""


class Entry(NamedTuple):
    """A draw of the reference. key: of the event that told of it."""

    drawn: Drawn
    place: Place
    number: int
    key: Key | None


class Tape:
    """What the reference drew in one run (one training step, one forward and backward), in order.

    names: of the run, from which the generators have theirs. more: where both run in turns, lets the reference go on; False where
    it has ended. in_line: draws meet in the order of the whole program, whatever calls they are made in. instead: how
    many were drawn without a counterpart before -> the number that is drawn without one.
    """

    def __init__(self, *names: object) -> None:
        self._names = names
        self.entries: list[Entry] = []
        self.complete = False
        self.more: Callable[[], bool] = lambda: False
        self.paths: tuple[set[str], set[str]] = ({""}, {""})
        self.in_line = False
        self.instead: Callable[[int], float] | None = None
        self._met: list[tuple[Drawn, int | None]] = []  # by the twin's latest run: what it drew, the number of its counterpart

    @property
    def is_otherwise_in_line(self) -> bool:
        """Whether the two draw the same, one after the other, but the twin's draws have not met the reference's in this order."""
        drawn, numbers = [drawn for drawn, _ in self._met], [number for _, number in self._met]
        return (len(drawn) == len(self.entries) and numbers != list(range(len(numbers)))
                and all(entry.drawn.agrees(one) for entry, one in zip(self.entries, drawn, strict=True)))

    @property
    def lone(self) -> tuple[dict[int, Drawn], list[Drawn]]:
        """What either side has drawn without a counterpart; the reference's by their numbers."""
        met = {number for _, number in self._met}
        return ({entry.number: entry.drawn for entry in self.entries if entry.number not in met},
                [drawn for drawn, number in self._met if number is None])

    def to_json(self) -> dict:
        return {"names": [str(name) for name in self._names], "paths": sorted(self.paths[0]),
                "entries": [[entry.drawn.to_json(), list(entry.place), list(entry.key)] for entry in self.entries]}

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Tape:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for what is none."""
        tape = cls(*document["names"])
        tape.paths[0].update(map(str, document["paths"]))
        for number, (drawn, place, key) in enumerate(document["entries"]):
            calls = tuple((str(path), int(call)) for path, call in place)
            hash(Key(*key))  # no lists in it
            tape.entries.append(Entry(Drawn.of_json(drawn), calls, number, Key(*key)))
        tape.complete = True
        return tape

    def hand(self, side: int) -> Hand:
        """For one run of a side, 0 the reference. The first one of the reference records."""
        if side == 0 and not self.complete:
            self.entries.clear()
            return _Recording(self)
        if side == 1 and self.instead is None:
            self._met.clear()
        return Hand(self, side)

    def generator(self, *number: object) -> np.random.Generator:
        return generator("random numbers", *self._names, *number)

    def note(self, drawn: Drawn, met: Entry | None) -> None:
        """What the twin has drawn, and its counterpart."""
        if self.instead is None:
            self._met.append((drawn, None if met is None else met.number))


class _Constant(np.random.Generator):
    """A generator whose uniform numbers are all the same."""

    def __init__(self, number: float) -> None:
        super().__init__(np.random.PCG64(0))
        self._number = number

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return np.full(() if size is None else size, self._number, dtype)


class Hand:
    """Gives one run the random numbers of its counterparts on a tape.

    Draws meet in the innermost module call that both sides have, or in line, in that around all, in the order in which they are
    made; there each takes the first of its kind and shape that is left, or else whatever is left first. A draw that finds nothing
    has numbers of its own.
    """

    def __init__(self, tape: Tape, side: int) -> None:
        self._tape, self._side = tape, side
        self._left: dict[tuple[str, int], list[Entry]] = defaultdict(list)  # not taken yet, by the call in which they meet
        self._looked_at = self._alone = 0
        tried = side == 0 and tape.instead is not None
        self._lone = {number: before for before, number in enumerate(tape.lone[0])} if tried else {}

    @property
    def silent(self) -> bool:
        """Whether it is known that this run draws nothing."""
        return self._side == 0 and self._tape.complete and not self._tape.entries

    def watch(self, paths: Iterable[str]) -> None:
        """Modules that this side has, by their paths in the reference's names."""
        self._tape.paths[self._side].update(paths)

    def take(self, drawn: Drawn, place: Place) -> tuple[Entry | None, np.random.Generator]:
        """The draw's counterpart, if there is one, and the generator of its numbers."""
        left = self._left[self._shared(place)]
        while True:
            self._look()
            fitting = [entry for entry in left if entry.drawn.fits(drawn)]
            if fitting or not self._tape.more():
                break
        same = [entry for entry in fitting if entry.drawn.kind == drawn.kind]
        met = next(iter(same or fitting or left), None)
        if self._side:
            self._tape.note(drawn, met)
        if met is None:
            self._alone += 1
            return None, self._numbers(self._alone - 1, "alone", self._alone)
        left.remove(met)
        return met, self._numbers(self._lone.get(met.number), met.number)

    def _numbers(self, before: int | None, *number: object) -> np.random.Generator:
        """before: of a draw without a counterpart, how many such were made before."""
        instead = self._tape.instead
        return self._tape.generator(*number) if before is None or instead is None else _Constant(instead(before))

    def _look(self) -> None:
        """At what the reference has drawn since."""
        for entry in self._tape.entries[self._looked_at:]:
            self._left[self._shared(entry.place)].append(entry)
        self._looked_at = len(self._tape.entries)

    def names(self, drawn: Drawn) -> str:
        """The variable of the event that tells of a draw without a counterpart."""
        return f"random {drawn.kind}, without counterpart"

    def note(self, key: Key) -> None:
        """The key of the event that tells of the latest draw: kept where this hand records."""

    def close(self) -> None:
        """The run is over."""

    def _shared(self, place: Place) -> tuple[str, int]:
        if self._tape.in_line:
            return place[0]
        ours, theirs = self._tape.paths
        return next(call for call in reversed(place) if call[0] in ours and call[0] in theirs)  # at last, what is around all


class _Recording(Hand):
    """The reference's first run."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(tape, 0)

    def take(self, drawn: Drawn, place: Place) -> tuple[Entry | None, np.random.Generator]:
        number = len(self._tape.entries)
        self._tape.entries.append(Entry(drawn, place, number, None))
        return None, self._tape.generator(number)

    def names(self, drawn: Drawn) -> str:
        return f"random {drawn.kind}"

    def note(self, key: Key) -> None:
        self._tape.entries[-1] = self._tape.entries[-1]._replace(key=key)

    def close(self) -> None:
        self._tape.complete = True


class Redrawn:
    """The numbers of one run's draws once more, for a recomputation in its backward (activation checkpointing).

    A recomputation starts from the framework's generator as it was, and so what the generator would draw next tells which draw it
    is; where a framework does not say, the latest calls of a module are computed first.
    """

    def __init__(self) -> None:
        self._states: dict[bytes | str, list[dict]] = defaultdict(list)

    def keep(self, numbers: np.random.Generator, state: bytes | None, path: str) -> None:
        """Before they are drawn. state: of the framework's generator. path: of the innermost module call."""
        self._states[path if state is None else state].append(numbers.bit_generator.state)

    def again(self, state: bytes | None, path: str) -> np.random.Generator:
        """The generator of a draw that is made once more; one of no other draw's where none is known."""
        numbers, known = np.random.default_rng(), self._states.get(path if state is None else state)
        if known:
            numbers.bit_generator.state = known[-1] if state is not None else known.pop()
        return numbers


@contextmanager
def python_and_numpy(seed: int) -> Iterator[None]:
    """While active, python's `random` and numpy's global generator start from the seed; afterwards as before."""
    with kept_for_later():
        random.seed(seed)
        np.random.seed(seed % 2 ** 32)
        yield


@contextmanager
def kept_for_later() -> Iterator[None]:
    """Whatever is done meanwhile, python's `random` and numpy's global generator afterwards go on from here."""
    before = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
