"""Where recorded events go: kept (`Store`), or compared at once against what was kept (`Distances`, `Against`)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from parity.numbers.arrays import Deviation, deviation, in_norm, rounds
from parity.numbers.noise import one_ulp
from parity.numbers.shapes import reshaped_distance
from parity.numbers.strata import borders, deviations, floor_at
from parity.trace.events import Event, Key


class Store:
    """Keeps every event with its array, in execution order: the reference's side."""

    keeps = True

    def __init__(self) -> None:
        self.events: dict[Key, Event] = {}
        self.losses: dict[str, float] = {}  # of a training step
        # Modules whose results no replay can replace: something else on the other side, written into later, or computed once more.
        self.apart: set[str] = set()

    def receive(self, event: Event) -> None:
        self.events[event.key] = event

    def close(self) -> None:
        """The run is over: nothing more will be received."""

    def __len__(self) -> int:
        return len(self.events)

    def in_order(self) -> list[Event]:
        return sorted(self.events.values(), key=lambda event: event.order)

    def replayed(self, rng: np.random.Generator | None = None) -> Replayed:
        """The stored values, to be fed back into a replay; moved by one ulp where a generator is given."""
        return Replayed(self.events, rng, self.apart)

    @property
    def bytes(self) -> int:
        """Memory of all arrays kept, each counted once however many names it has."""
        arrays = {id(event.array): event.array.nbytes for event in self.events.values() if event.array is not None}
        return sum(arrays.values())


class Replayed:
    """Values of a store as a replay takes them: `key in replayed`, `replayed.value(key, dtype)`."""

    def __init__(self, events: dict[Key, Event], rng: np.random.Generator | None, apart: Container[str] = ()) -> None:
        self._events, self._rng, self._apart = events, rng, apart

    def __contains__(self, key: Key) -> bool:
        event = None if key.module in self._apart else self._events.get(key)
        return event is not None and event.array is not None

    def value(self, key: Key, dtype: str) -> np.ndarray:
        array = self._events[key].array.astype(dtype, copy=False)
        return array if self._rng is None else one_ulp(array, self._rng)


class Against:
    """Compares each event with the stored one of the same key as it comes, and keeps only what differs.

    floors, limit: arrays more than `limit` floors apart are kept (the first few of each stage), to look for their cause.
    matched: key -> (the event without its array, Deviation). extra: events that the store has no partner for, each
    with the key of the last event that had one. kept: key -> (the stored array, the twin's). release: let go of each stored array
    that has been compared; the store is of no use to another run then.
    """

    keeps = False
    KEPT = 3

    def __init__(self, store: Store, floors: Mapping[Key, float], limit: float, *, release: bool = False) -> None:
        self._store, self._floors, self._limit, self._release = store, floors, limit, release
        self.apart = store.apart
        self.matched: dict[Key, tuple[Event, Deviation]] = {}
        self.losses: dict[str, float] = {}
        self.extra: list[tuple[Event, Key | None]] = []
        self.kept: dict[Key, tuple[np.ndarray | None, np.ndarray]] = {}
        self.last: Key | None = None
        self._compared = (weakly(None), weakly(None))  # the arrays that `_deviation` is of
        self._deviation = Deviation(0.0)

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        array, event.array = event.array, None
        if partner is None:
            if not (event.key.is_activation_gradient and array is not None and not array.any()):
                self.extra.append((event, self.last))
            return
        stored = partner.array
        if stored is None or array is None or self._compared[0]() is not stored or self._compared[1]() is not array:
            # One value often has several names (a module's output, the local it is bound to): compared once.
            self._compared, self._deviation = (weakly(stored), weakly(array)), self._measure(partner, event, array)
        found = self._deviation
        floor = floor_at(self._floors[event.key], found.stratum)
        if array is not None and found.distance > self._limit * floor and self._has_room(event.key):
            # What is released may be the program's own memory, which it goes on to write in.
            self.kept[event.key] = (stored.copy() if self._release and stored is not None else stored, array.copy())
        self.matched[event.key] = (event, found)
        self.last = event.key
        if self._release:
            partner.array = None

    def _has_room(self, key: Key) -> bool:
        return sum(kept.stage == key.stage for kept in self.kept) < self.KEPT

    def _measure(self, partner: Event, event: Event, array: np.ndarray | None) -> Deviation:
        """Of all strata, the one that is the most floors apart."""
        floor = self._floors[event.key]
        if partner.array is not None and array is not None and partner.array.shape != array.shape:
            found = deviation(partner.array, array)
            return replace(found, reshaped=reshaped_distance(partner.array, array, summed=event.key.stage == "gradients"))
        return max(compared(partner, array), key=lambda found: multiple_of(found.distance, floor_at(floor, found.stratum)))


class Spread(NamedTuple):
    """How far one stratum of a value went apart. samples: elements compared, over all runs."""

    largest: float = 0.0
    samples: int = 0

    def joined(self, found: Deviation) -> Spread:
        if not np.isfinite(found.distance):
            return self
        return Spread(max(self.largest, found.distance), self.samples + found.size)


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
        if partner is None or partner.array is None or array is None:
            return
        found = compared(partner, array)
        known = self.strata.setdefault(event.key, [Spread()] * len(found))
        if len(known) == len(found):  # else another shape
            self.strata[event.key] = [before.joined(now) for before, now in zip(known, found, strict=True)]

    def spread(self, key: Key, stratum: int = 0) -> Spread:
        """What was seen of a value's stratum; nothing where it was not."""
        known = self.strata.get(key)
        return Spread() if known is None else known[stratum]

    @property
    def largest(self) -> dict[Key, float]:
        """The largest distance of each value."""
        return {key: max(one.largest for one in strata) for key, strata in self.strata.items()}


class Crossings:
    """Counts the forward values that stand on the other side of zero than the stored ones, where a rectifier turns over."""

    keeps = False

    def __init__(self, store: Store) -> None:
        self._store, self.apart = store, store.apart
        self.count = 0

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        if partner is None or partner.array is None or event.array is None or event.key.stage == "gradients":
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
