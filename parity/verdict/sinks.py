"""Where recorded events go: kept (`Store`), or compared at once against what was kept (`Distances`, `Against`)."""

from __future__ import annotations

import math
import weakref
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from parity.numbers.arrays import Deviation, deviation, distance_of_floats, in_norm, rounds
from parity.numbers.noise import one_ulp
from parity.numbers.shapes import reshaped_distance
from parity.numbers.strata import borders, deviations, floor_at
from parity.trace.events import CLEARED, Event, Key
from parity.verdict.masks import hide_the_same
from parity.verdict.prints import Print, is_printed, print_of
from parity.verdict.spill import Place, Spill, Spilled


class Store:
    """Keeps every event with its array, in execution order: the reference's side. Arrays are kept in memory up to `ROOM`; of
    those that come later the large ones go to a file (`Spill`)."""

    keeps = True
    ROOM = 1 << 27  # bytes
    LARGE = 1 << 16  # bytes: smaller ones take less than finding them again
    RECENT = 8  # arrays that may come again under another name: as many as a recorder may hold

    def __init__(self) -> None:
        self.events: dict[Key, Event] = {}
        self._held, self._spill = 0, None  # bytes in memory
        self._recent: deque[tuple[Callable[[], np.ndarray | None], np.ndarray | Place]] = deque(maxlen=self.RECENT)
        self.losses: dict[str, float] = {}  # of a training step
        self.clips: dict[str, tuple] | None = None  # of a training step: optimizer -> how its gradients were clipped
        self.choices: Any = None  # of the run that is kept, with which its noise draws go on
        # Modules whose results no replay can replace: something else on the other side, written into later, or computed once more.
        self.apart: set[str] = set()

    def receive(self, event: Event, *, copy: bool = False) -> None:
        """copy: the array is not the event's own."""
        if event.array is not None:
            kept = self._kept(event.array, copy)
            if isinstance(kept, Place):
                event = Spilled(self._spill, kept, event)
            else:
                event.array = kept
        self.events[event.key] = event

    def _kept(self, array: np.ndarray, copy: bool) -> np.ndarray | Place:
        """What is kept of it: the array, or where it lies."""
        for known, kept in self._recent:
            if known() is array:
                return kept
        if array.nbytes < self.LARGE or self._held + array.nbytes <= self.ROOM:
            self._held += array.nbytes
            kept = array.copy() if copy else array
        else:
            self._spill = self._spill or Spill()
            kept = self._spill.put(array)
        self._recent.appendleft((weakly(array), kept))
        return kept

    @property
    def nbytes(self) -> int:
        """Of the arrays, in memory and on disk; one of several names counts once."""
        return self._held + (0 if self._spill is None else self._spill.nbytes)

    def close(self) -> None:
        """The run is over: nothing more will be received."""

    def discard(self) -> None:
        """The run broke off: what was received is worth nothing."""

    def __len__(self) -> int:
        return len(self.events)

    def in_order(self) -> list[Event]:
        return sorted(self.events.values(), key=lambda event: event.order)

    def replayed(self, rng: np.random.Generator | None = None) -> Replayed:
        """The stored values, to be fed back into a replay; moved by one ulp where a generator is given."""
        return Replayed(self.events, rng, self.apart)


class Replayed:
    """Values of a store as a replay takes them: `key in replayed`, `replayed.value(key, dtype)`."""

    def __init__(self, events: dict[Key, Event], rng: np.random.Generator | None, apart: Container[str] = ()) -> None:
        self._events, self._rng, self._apart = events, rng, apart

    def __contains__(self, key: Key) -> bool:
        event = None if key.module in self._apart else self._events.get(key)
        return event is not None and event.dtype is not None

    def value(self, key: Key, dtype: str) -> np.ndarray:
        array = self._events[key].array.astype(dtype, copy=False)
        return array if self._rng is None else one_ulp(array, self._rng, inwards=True)


class Against:
    """Compares each event with the stored one of the same key as it comes, and keeps only what differs.

    floors, limit: arrays more than `limit` floors apart are kept (the first few of each stage), to look for their cause.
    matched: key -> (the event without its array, Deviation). extra: events that the store has no partner for, each
    with the key of the last event that had one. kept: key -> (the stored array, the twin's). prints: what is kept of values that
    have no partner, and of locals that are off, where `printing` is asked for (`verdict.elsewhere`). first: that of the first
    values that are off. hiding: what is off, but masks that hide the same (`verdict.masks`). release: let go of each stored array
    that has been compared; the store is of no use to another run then.
    """

    keeps = False
    KEPT = 3
    FIRST = 16

    def __init__(self, store: Store, floors: Mapping[Key, float], limit: float, *, release: bool = False,
                 printing: bool = False) -> None:
        self._store, self._floors, self._limit, self._release, self._printing = store, floors, limit, release, printing
        self.prints: dict[Key, Print] = {}
        self.hiding: set[Key] = set()
        self.first: dict[Key, Print] = {}
        self.apart = store.apart
        self.matched: dict[Key, tuple[Event, Deviation]] = {}
        self.losses: dict[str, float] = {}
        self.clips: dict[str, tuple] | None = None
        self.extra: list[tuple[Event, Key | None]] = []
        self.kept: dict[Key, tuple[np.ndarray | None, np.ndarray]] = {}
        self.last: Key | None = None
        self._strata: dict[Key, list[Deviation]] = {}  # of values that have several
        self._missing: set[Key] = set()  # of which the twin has no array
        self._compared = (weakly(None), weakly(None))  # the arrays that `_found` is of
        self._found: list[Deviation] = []

    def beside(self, floors: Mapping[Key, float], limit: float, *, arrays: bool = True) -> Against | None:
        """The same run beside other floors; None where that takes arrays which were not kept. arrays: whether any are wanted."""
        again = Against(self._store, floors, limit)
        again.losses, again.extra, again.last, again.prints = self.losses, self.extra, self.last, self.prints
        again._strata, again._missing, again.hiding = self._strata, self._missing, self.hiding
        for key, (event, found) in self.matched.items():
            floor = floors[key]
            if key in self._strata:
                found = _farthest(self._strata[key], floor)
            if (arrays and key not in self._missing and found.distance > limit * floor_at(floor, found.stratum)
                    and again._has_room(key)):
                if key not in self.kept:
                    return None
                again.kept[key] = self.kept[key]
            again.matched[key] = event, found
        return again

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        array, event.array = event.array, None
        if partner is None:
            event.array = array if array is not None and array.dtype.kind == "U" else None  # a text is told of
            if not (event.key.is_activation_gradient and array is not None and not array.any()):
                self.extra.append((event, self.last))
                self.remember(event.key, array)
            return
        stored = partner.array
        if event.key.stage == "gradients" and not event.key.variable.endswith(CLEARED) and (stored is None) != (array is None):
            array = _without_zeros(stored, array)
        if stored is None or array is None or self._compared[0]() is not stored or self._compared[1]() is not array:
            # One value often has several names (a module's output, the local it is bound to): compared once.
            self._compared, self._found = (weakly(stored), weakly(array)), self._measured(partner, event.key, array)
        found = _farthest(self._found, self._floors[event.key])
        if len(self._found) > 1:
            self._strata[event.key] = self._found
        if array is None:
            self._missing.add(event.key)
        floor = floor_at(self._floors[event.key], found.stratum)
        if array is not None and event.key.is_local and found.distance > self._limit * floor:
            self.remember(event.key, array)
        if array is not None and found.distance > self._limit * floor:
            self.hiding.update({event.key} if event.drawn is None and hide_the_same(stored, array) else ())
            if self._printing and len(self.first) < self.FIRST and (mark := print_of(array)) is not None:
                self.first[event.key] = mark
        if array is not None and found.distance > self._limit * floor and self._has_room(event.key):
            # What is released may be the program's own memory, which it goes on to write in.
            self.kept[event.key] = (stored.copy() if self._release and stored is not None else stored, array.copy())
        self.matched[event.key] = (event, found)
        self.last = event.key
        if self._release:
            partner.array = None

    def remember(self, key: Key, array: np.ndarray | None) -> None:
        """Keep the print of a value that has no partner, or not the right one."""
        if self._printing and is_printed(key) and (mark := print_of(array)) is not None:
            self.prints[key] = mark

    def anew(self, store: Store | None = None) -> Against:
        """For another run, held against the same, or against another store by the same floors."""
        return Against(store or self._store, self._floors, self._limit)

    def is_off(self, key: Key) -> bool:
        """Whether a value that both have is more than `limit` floors apart."""
        found = self.matched[key][1]
        return found.distance > self._limit * floor_at(self._floors[key], found.stratum)

    def _has_room(self, key: Key) -> bool:
        return sum(kept.stage == key.stage for kept in self.kept) < self.KEPT

    def _measured(self, partner: Event, key: Key, array: np.ndarray | None) -> list[Deviation]:
        """Of each stratum."""
        stored = partner.array
        if stored is not None and array is not None and stored.shape != array.shape:
            return [replace(deviation(stored, array), reshaped=reshaped_distance(stored, array, summed=key.stage == "gradients"))]
        return compared(partner, array)


def _without_zeros(stored: np.ndarray | None, array: np.ndarray | None) -> np.ndarray | None:
    """A gradient that one side alone has, as the other has it where it is zeros: what nothing depends on has one, or none. Whether
    an optimizer makes anything of zeros (a decay), the update tells."""
    if stored is None:
        return array if array.any() else None
    return None if stored.any() else np.zeros_like(stored)


def _farthest(strata: Sequence[Deviation], floor: float) -> Deviation:
    """The one that is the most floors apart."""
    return max(strata, key=lambda found: multiple_of(found.distance, floor_at(floor, found.stratum)))


class Spread(NamedTuple):
    """How far one stratum of a value went apart. samples: elements compared, over all runs. lost: a run has none of its numbers."""

    largest: float = 0.0
    samples: int = 0
    lost: bool = False

    def joined(self, found: Spread) -> Spread:
        if not math.isfinite(found.largest):
            return self._replace(lost=True)
        return Spread(max(self.largest, found.largest), self.samples + found.samples, self.lost)


class Distances:
    """Largest distance of each value from the stored one: a noise draw, or a float32 run against its truth.

    Several runs may be received one after the other; the largest distance stands.
    """

    keeps = False

    def __init__(self, store: Store) -> None:
        self._store, self.apart = store, store.apart
        self.losses: dict[str, float] = {}
        self.strata: dict[Key, list[Spread]] = {}

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        array, event.array = event.array, None
        stored = None if partner is None else partner.array
        if stored is None or array is None:
            return
        distance = None if partner.norm or borders_of(partner) else distance_of_floats(stored, array)
        found = ([Spread(distance, array.size)] if distance is not None else
                 [Spread(one.distance, one.size) for one in compared(partner, array)])
        known = self.strata.setdefault(event.key, [Spread()] * len(found))
        if len(known) == len(found):  # else another shape
            self.strata[event.key] = [before.joined(now) for before, now in zip(known, found, strict=True)]

    def spread(self, key: Key, stratum: int = 0) -> Spread:
        """What was seen of a value's stratum; nothing where it was not."""
        known = self.strata.get(key)
        return Spread() if known is None else known[stratum]

    @property
    def is_blind(self) -> bool:
        """Whether every run has lost the numbers of some value: of its noise nothing was seen."""
        return any(one.lost and not one.samples for strata in self.strata.values() for one in strata)

    @property
    def largest(self) -> dict[Key, float]:
        """The largest distance of each value."""
        return {key: max(one.largest for one in strata) for key, strata in self.strata.items()}


class Nowhere:
    """Of a run that is made for what the framework notes of it."""

    keeps = False

    def __init__(self) -> None:
        self.apart: set[str] = set()

    def receive(self, event: Event) -> None:
        """Its values are not asked for."""


class Crossings:
    """Counts the forward values that stand on the other side of zero than the stored ones, where a rectifier turns over.

    others: of values that are not the same but for rounding; a difference written as `b - a` is no kink.
    """

    keeps = False

    def __init__(self, store: Store, others: Container[Key] = ()) -> None:
        self._store, self._others, self.apart = store, others, store.apart
        self.count = 0

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        if event.key.stage == "gradients" or event.key in self._others:
            return
        if partner is None or partner.array is None or event.array is None:
            return
        if partner.array.shape == event.array.shape and partner.array.dtype.kind == "f":
            self.count += int(((partner.array > 0) != (event.array > 0)).sum())


def weakly(array: np.ndarray | None) -> Callable[[], np.ndarray | None]:
    """A reference that does not keep the array, and with it perhaps a tensor of its program, alive; None when it is gone."""
    return weakref.ref(array) if isinstance(array, np.ndarray) else lambda: None


def compared(stored: Event, array: np.ndarray | None) -> list[Deviation]:
    """The deviation of each stratum; nearly every value has one only."""
    if borders_of(stored) and array is not None and array.shape == stored.array.shape and rounds(array.dtype):
        return deviations(stored.array, array, stored.borders)
    found = deviation(stored.array, array, stored.largest)
    return [in_norm(found, stored.array, array) if stored.norm else found]


def borders_of(stored: Event) -> tuple[float, ...]:
    """Where the strata of a stored value begin; looked for once."""
    if stored.borders is None:
        stored.borders = () if stored.norm or stored.array is None else borders(stored.array)
    return stored.borders


def multiple_of(distance: float, floor: float) -> float:
    """How many floors; of a floor of 0, none or infinitely many."""
    return distance / floor if floor else float("inf") if distance else 0.0
