"""Values that memory has no room for: they lie in a temporary file until they are asked for."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from parity.files import InputError
from parity.trace.events import Event


class Place(NamedTuple):
    """Where an array lies in the file."""

    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]


class Spill:
    """A file of arrays that nobody else sees: the system removes it however this process ends, as it has no name (elsewhere than
    on Windows). It lies where `tempfile` puts its own (TMPDIR). Raises InputError where the disk has no room."""

    RESERVE = 1 << 28  # bytes of the disk that are left to others
    RECENT = 2  # arrays read last, which are soon read again under another name

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir())
        self._file = tempfile.TemporaryFile(dir=self._folder, prefix="parity-", buffering=0)  # noqa: SIM115 (closed below)
        weakref.finalize(self, self._file.close)
        self._end = 0
        self._recent: deque[tuple[Place, np.ndarray]] = deque(maxlen=self.RECENT)

    @property
    def nbytes(self) -> int:
        return self._end

    def put(self, array: np.ndarray) -> Place:
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        free = shutil.disk_usage(self._folder).free
        if free < data.nbytes + self.RESERVE:
            raise self._no_room(free)
        place = Place(self._end, array.dtype, array.shape)
        self._file.seek(self._end)
        try:
            _all(self._file.write, data)
        except OSError as error:
            raise self._no_room(free) from error
        self._end += data.nbytes
        return place

    def array(self, place: Place) -> np.ndarray:
        for known, array in self._recent:
            if known == place:
                return array
        array = np.empty(place.shape, place.dtype)
        self._file.seek(place.offset)
        _all(self._file.readinto, array.reshape(-1).view(np.uint8))
        array.flags.writeable = False  # the next that asks for it may get this very one
        self._recent.append((place, array))
        return array

    def _no_room(self, free: int) -> InputError:
        return InputError(f"{self._folder}: expected room for the values of the reference, which memory cannot hold, found "
                          f"{free >> 20} MiB free after {self._end >> 20} MiB of them; make room there, or set TMPDIR to a folder "
                          f"on a larger disk")


def _all(move: Callable[[memoryview], int | None], data: np.ndarray) -> None:
    """One call reads or writes at most 2 GiB."""
    rest = memoryview(data)
    while rest:
        moved = move(rest)
        if not moved:
            raise OSError(f"{len(rest)} bytes could not be moved")
        rest = rest[moved:]


class Spilled(Event):
    """An event whose array lies in a spill, and is read each time it is asked for; until it is let go of."""

    __slots__ = ("_place", "_spill")

    def __init__(self, spill: Spill, place: Place, event: Event) -> None:
        fields = {name: getattr(event, name) for name in Event.__slots__}
        super().__init__(**fields | {"array": None})
        self._spill, self._place = spill, place

    @property
    def array(self) -> np.ndarray | None:
        return None if self._place is None else self._spill.array(self._place)

    @array.setter
    def array(self, value: np.ndarray | None) -> None:
        """Nothing is held; the place may be forgotten."""
        self._place = None

    @property
    def dtype(self) -> np.dtype | None:
        return None if self._place is None else self._place.dtype

    @property
    def size(self) -> int:
        return 0 if self._place is None else math.prod(self._place.shape)
