"""Which of a tensor's gradients one is: several come to it where a graph is gone through more than once.

A gradient penalty asks for the gradient of its scores (`create_graph`), and backward comes through the same tensors again. The
how-manieth gradient it is, is counted by what arrives: a zero may be left out by one framework and made by the other, so it takes
a number only where no other gradient does.
"""

from __future__ import annotations

import numpy as np

from parity.trace.events import Event


class Arrivals:
    """Numbers the gradients that come to each tensor in one recording."""

    def __init__(self) -> None:
        self._counts: dict[object, int] = {}
        self._zeros: dict[object, list[Event]] = {}

    def arrived(self, tensor: object, events: list[Event]) -> list[Event]:
        """What is to be told of a gradient that comes now. tensor: anything that stands for it. events: it, under each name."""
        number = self._counts.get(tensor, 0) + 1
        for event in events if number > 1 else ():
            event.key = event.key._replace(variable=f"{event.key.variable} (backward {number})")
        array = events[0].array
        if array.any():
            self._counts[tensor] = number
            self._zeros.pop(tensor, None)
            return events
        for event in events:  # it waits, and what it was read from will be overwritten
            event.array = np.broadcast_to(np.zeros((), array.dtype), array.shape)
        self._zeros.setdefault(tensor, events)
        return []

    def left(self) -> list[Event]:
        """No more gradients will come: the zeros whose number nothing else has taken."""
        return [event for events in self._zeros.values() for event in events]
