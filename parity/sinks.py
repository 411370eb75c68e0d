"""Where recorded events go: kept (`Store`), or compared at once against what was kept (`Distances`, `Against`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parity.compare import Deviation, deviation
from parity.noise import one_ulp
from parity.trace import Event, Key


class Store:
    """Keeps every event with its array, in execution order: the reference's side."""

    keeps = True

    def __init__(self) -> None:
        self.events: dict[Key, Event] = {}

    def receive(self, event: Event) -> None:
        self.events[event.key] = event

    def __len__(self) -> int:
        return len(self.events)

    def in_order(self) -> list[Event]:
        return sorted(self.events.values(), key=lambda event: event.order)

    def replayed(self, rng: np.random.Generator | None = None) -> Replayed:
        """The stored values, to be fed back into a replay; moved by one ulp where a generator is given."""
        return Replayed(self.events, rng)

    @property
    def bytes(self) -> int:
        """Memory of all arrays kept, each counted once however many names it has."""
        arrays = {id(event.array): event.array.nbytes for event in self.events.values() if event.array is not None}
        return sum(arrays.values())


class Replayed:
    """Values of a store as a replay takes them: `key in replayed`, `replayed.value(key, dtype)`."""

    def __init__(self, events: dict[Key, Event], rng: np.random.Generator | None) -> None:
        self._events, self._rng = events, rng

    def __contains__(self, key: Key) -> bool:
        event = self._events.get(key)
        return event is not None and event.array is not None

    def value(self, key: Key, dtype: str) -> np.ndarray:
        array = self._events[key].array.astype(dtype, copy=False)
        return array if self._rng is None else one_ulp(array, self._rng)


class Against:
    """Compares each event with the stored one of the same key as it comes, and keeps only what differs.

    floors, limit: arrays more than `limit` floors apart are kept (the first few), to look for their cause.
    matched: key -> (the event without its array, Deviation). extra: events that the store has no partner for, each
    with the key of the last event that had one. kept: key -> the twin's array. kinks: values entering a rectifier whose
    sign is another than in the store, counted where `count_kinks` names the rectifiers.
    """

    keeps = False
    KEPT = 3

    def __init__(self, store: Store, floors: Mapping[Key, float], limit: float) -> None:
        self._store, self._floors, self._limit = store, floors, limit
        self.matched: dict[Key, tuple[Event, Deviation]] = {}
        self.extra: list[tuple[Event, Key | None]] = []
        self.kept: dict[Key, np.ndarray] = {}
        self.last: Key | None = None
        self._pair: tuple[np.ndarray, np.ndarray] | None = None
        self._deviation = Deviation(0.0)

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        array, event.array = event.array, None
        if partner is None:
            self.extra.append((event, self.last))
            return
        if self._pair is None or self._pair[0] is not partner.array or self._pair[1] is not array:
            # One value often has several names (a module's output, the local it is bound to): compared once.
            self._pair, self._deviation = (partner.array, array), deviation(partner.array, array)
        found = self._deviation
        if array is not None and found.distance > self._limit * self._floors[event.key] and len(self.kept) < self.KEPT:
            self.kept[event.key] = array.copy()
        self.matched[event.key] = (event, found)
        self.last = event.key


class Distances:
    """Largest distance of each value from the stored one: a noise draw, or a float32 run against its truth.

    Several runs may be received one after the other; the largest distance stands.
    """

    keeps = False

    def __init__(self, store: Store) -> None:
        self._store = store
        self.largest: dict[Key, float] = {}

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        array, event.array = event.array, None
        if partner is None or partner.array is None or array is None:
            return
        distance = deviation(partner.array, array).distance
        if np.isfinite(distance):
            self.largest[event.key] = max(self.largest.get(event.key, 0.0), distance)
