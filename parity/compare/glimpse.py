"""What one run shows of the values at the borders of its modules, in a few numbers each: enough to tell which are equal."""

from __future__ import annotations

import numpy as np

from parity.numbers.noise import RESOLUTION, generator
from parity.trace.events import Event, Key
from parity.verdict.judge import is_result

Sketch = tuple[tuple[int, ...], np.ndarray]


class Glimpse:
    """A sink that keeps of each value at a module's border its shape, its norm and a projection. name: of the program."""

    keeps = False

    def __init__(self, name: str) -> None:
        self._name = name
        self.apart: set[str] = set()
        self._seen: dict[Key, Sketch] = {}

    def receive(self, event: Event) -> None:
        array, key = event.array, event.key
        if array is not None and array.dtype.kind in "fiub" and key.variable.startswith(("input", "output")) and not key.is_local:
            flat = np.asarray(array, np.float64).ravel()
            direction = generator(0, "glimpse", flat.size).standard_normal(flat.size)
            self._seen[key] = array.shape, np.array([np.linalg.norm(flat), flat @ direction])

    def returned(self, other: Glimpse) -> bool:
        """Whether both programs returned the same, as far as this shows, and something."""
        results = [{key for key in side._seen if is_result(key, self._name)} for side in (self, other)]
        return bool(results[0]) and results[0] == results[1] and all(self._agrees(other, key) for key in results[0])

    def agreeing(self, other: Glimpse) -> int:
        """How many values at borders are the same."""
        return sum(self._agrees(other, key) for key in self._seen.keys() & other._seen.keys())

    def _agrees(self, other: Glimpse, key: Key) -> bool:
        (shape, numbers), (shape2, numbers2) = self._seen[key], other._seen[key]
        # A mistake smaller than this is not looked for in float64 either.
        return shape == shape2 and bool(np.all(np.abs(numbers - numbers2) <= RESOLUTION[8] * max(numbers[0], numbers2[0])))
