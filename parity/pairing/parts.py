"""A tensor that one side keeps in several pieces, put together again."""

from __future__ import annotations

import numpy as np

from weights_convert import Entry


class Parts:
    """The parts of a tensor that the twin keeps in several pieces."""

    def __init__(self, rows: int, axis: int = 0) -> None:
        self._rows, self._axis = rows, axis
        self._held: dict[tuple[int, int], np.ndarray | None] = {}

    def add(self, entry: Entry, part: np.ndarray | None) -> None:
        """part: in the twin's layout, or None for a gradient that does not exist."""
        self._held[entry.rows] = None if part is None else part if part.ndim == 0 else np.array(entry.to_torch(part))

    def has(self, entry: Entry) -> bool:
        return entry.rows in self._held

    @property
    def whole(self) -> bool:
        return sum(stop - start for start, stop in self._held) == self._rows

    def joined(self) -> np.ndarray | None:
        """In the reference's layout; a number that each part has for itself (how many updates) is that of the first."""
        parts = [part for _, part in sorted(self._held.items(), key=lambda item: item[0])]
        if any(part is None for part in parts):
            return None
        return parts[0] if parts[0].ndim == 0 else np.concatenate(parts, self._axis)
