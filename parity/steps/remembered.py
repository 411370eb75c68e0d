"""What both sides keep from step to step beside weights (a hidden state, a running baseline): is it alike at the end of a step?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from parity.numbers.noise import M
from parity.numbers.strata import larger
from parity.trace.events import Event, Key
from parity.verdict.floors import floors_of
from parity.verdict.judge import is_seen
from parity.verdict.sinks import Against, Distances, Store

Values = Mapping[str, Mapping[str, np.ndarray]]  # name -> access path -> array


class Remembered:
    """Of the reference, and how far rounding moves it. lane: None where nothing has rounded yet. measured: of another run of that
    step, below whose floors these are not."""

    def __init__(self, values: Values, lane: str | None = None, measured: Remembered | None = None) -> None:
        self._lane, self._measured, self._store = lane, measured, Store()
        for event in _events(values):
            self._store.receive(event)
        self._drawn = Distances(self._store)

    def drawn(self, values: Values) -> None:
        """It is this at the end of a noise draw."""
        for event in _events(values):
            self._drawn.receive(event)

    def unlike(self, twins: Values) -> set[str]:
        """Names under which the twin keeps something else: farther away than rounding goes, or so far that there might be a mistake
        in it, however far that goes."""
        events, against = self._store.events, Against(self._store, self._floors(), M)
        for event in _events(twins):
            against.receive(event)
        alike = {key for key, (_, found) in against.matched.items() if not against.is_off(key) and is_seen(events[key], found)}
        return {key.module for key in {*events, *(event.key for event, _ in against.extra)} - alike}

    def _floors(self) -> dict[Key, float]:
        if self._lane is None:
            return dict.fromkeys(self._store.events, 0.0)
        measured = {} if self._measured is None else self._measured._floors()
        return {key: larger(floor, measured.get(key, 0.0))
                for key, floor in floors_of(self._store, self._drawn, self._lane).items()}


def _events(values: Values) -> Iterator[Event]:
    for order, (name, path, array) in enumerate((name, path, array) for name, held in values.items()
                                                for path, array in held.items()):
        largest = float(np.abs(array[np.isfinite(array)]).max(initial=0.0))
        yield Event(Key("state", 0, None, name, 0, "", 0, path, 0), order, None, array, scale=largest, unit=largest)
