"""Recorded steps on disk, so that two frameworks that do not fit into one process (or one memory) can be compared.

    DIR/index.json               what was recorded: lane, mode, seed, steps, versions, hash of the start
    DIR/step-0001.safetensors    every value of step 1, each once, however many names it has
    DIR/step-0001.json           its events in order, their floors, the losses of the reference and of the noise draws
    DIR/start.safetensors        the weights, moments and gradients that step 1 started from (and later ones in resync mode)

All of it can be read without either framework. A step is there or not: files are renamed into place when it is complete, so
a recording that was interrupted is readable up to its last whole step.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from parity.trace.events import Event, Key
from parity.trace.source import Site
from parity.verdict.sinks import Store

FORMAT = 1
_HEADER = 1 << 22  # bytes kept free for safetensors' header, which comes first and is known last; spaces fill it
_NAMES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "bool": "BOOL"}


class RecordingError(RuntimeError):
    """A folder is no recording, of another format, or not of what is compared."""


class StoredEvent(Event):
    """An event whose array lies in a file, and is read (mapped) each time it is asked for."""

    __slots__ = ("_load",)

    def __init__(self, load: Callable[[], np.ndarray | None], **fields: Any) -> None:
        self._load = load
        super().__init__(array=None, **fields)

    @property
    def array(self) -> np.ndarray | None:
        return self._load()

    @array.setter
    def array(self, value: np.ndarray | None) -> None:
        """Nothing is held, so nothing can be let go."""


class StepWriter(Store):
    """A store that writes each value to a safetensors file as it comes, and keeps none.

    Use as a sink, then `close()`; from then on its events read their arrays from the file.
    """

    keeps = False
    _RECENT = 8  # values that may come again under another name

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}")
        self._file = self._partial.open("wb")
        self._file.write(_HEADER.to_bytes(8, "little"))
        self._file.seek(8 + _HEADER)
        self._entries: dict[str, dict] = {}
        self._offset = 0
        self._recent: list[tuple[np.ndarray, str]] = []
        self._open: Any = None
        self.places: dict[Key, str | None] = {}

    def receive(self, event: Event) -> None:
        place = None if event.array is None else self._write(event.array)
        self.places[event.key] = place
        self.events[event.key] = StoredEvent(self._loader(place), key=event.key, order=event.order, site=event.site,
                                             built=event.built, called=event.called, scale=event.scale, unit=event.unit,
                                             largest=event.largest, norm=event.norm)

    def _write(self, array: np.ndarray) -> str:
        for known, place in self._recent:
            if known is array:
                return place
        place = str(len(self._entries))
        self.put(place, array)
        self._recent = [(array, place), *self._recent[:self._RECENT - 1]]
        return place

    def put(self, place: str, array: np.ndarray) -> None:
        """Append a tensor of this name."""
        data = np.ascontiguousarray(array)
        if data.dtype.name not in _NAMES:
            raise RecordingError(f"cannot record values of dtype {data.dtype}; known are {', '.join(_NAMES)}")
        self._file.write(data.reshape(-1).view(np.uint8).data)
        self._entries[place] = {"dtype": _NAMES[data.dtype.name], "shape": list(array.shape),
                                "data_offsets": [self._offset, self._offset + data.nbytes]}
        self._offset += data.nbytes

    def close(self) -> None:
        """Write the header and put the file in its place."""
        header = json.dumps(self._entries, separators=(",", ":")).encode()
        if len(header) > _HEADER:
            raise RecordingError(f"one step has {len(self._entries)} values, more than a header of {_HEADER} bytes can name")
        self._file.seek(8)
        self._file.write(header.ljust(_HEADER))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._partial, self.path)
        self._recent.clear()

    def discard(self) -> None:
        """Leave nothing behind of a step that was not completed."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _loader(self, place: str | None) -> Callable[[], np.ndarray | None]:
        def load() -> np.ndarray | None:
            if place is None:
                return None
            if self._open is None:
                self._open = safe_open(self.path, framework="numpy")
            return self._open.get_tensor(place)

        return load


class StepReader(Store):
    """A recorded step, read back: as a store whose arrays lie in the file."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__()
        document = read_json(folder / f"step-{number:04}.json")
        arrays = safe_open(folder / f"step-{number:04}.safetensors", framework="numpy")
        self.losses = document["losses"]
        self.drawn = document["drawn"]
        self.batch = {name: arrays.get_tensor(place) for name, place in document["batch"].items()}
        self.floors: dict[Key, float] = {}
        for entry in document["events"]:
            key = Key(*entry["key"])
            place = entry["array"]
            self.events[key] = StoredEvent(
                (lambda place=place: arrays.get_tensor(place)) if place is not None else (lambda: None), key=key,
                order=entry["order"], site=_site(entry["site"]), built=_site(entry["built"]), called=_site(entry["called"]),
                scale=entry["scale"], largest=entry["largest"], norm=entry["norm"])
            self.floors[key] = float(entry["floor"])


def write_step(folder: Path, number: int, store: StepWriter, floors: Mapping[Key, float], drawn: list[dict[str, float]],
               batch: Mapping[str, Key]) -> None:
    """The JSON half of a step whose values `store` has written. batch: name -> the event that holds it."""
    events = [{"key": list(event.key), "order": event.order, "site": event.site, "built": event.built,
               "called": event.called, "scale": event.scale, "largest": event.largest, "norm": event.norm,
               "floor": floors[event.key], "array": store.places[event.key]} for event in store.in_order()]
    write_json(folder / f"step-{number:04}.json", {
        "losses": store.losses, "drawn": drawn, "events": events,
        "batch": {name: store.places[key] for name, key in batch.items()}})


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """A training state: nested dicts of arrays and numbers, in one safetensors file."""
    arrays, numbers = {}, {}
    for name, value in _flat(state):
        if isinstance(value, np.ndarray):
            arrays[name] = np.ascontiguousarray(value)
        else:
            numbers[name] = value
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    save_file(arrays, partial, metadata={"numbers": json.dumps(numbers)})
    os.replace(partial, path)


def read_state(path: Path) -> dict[str, Any]:
    """The inverse of `write_state`."""
    state: dict[str, Any] = {}
    with safe_open(path, framework="numpy") as file:
        values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        values |= json.loads((file.metadata() or {}).get("numbers", "{}"))
    for name, value in values.items():
        *folders, last = json.loads(name)
        here = state
        for folder in folders:
            here = here.setdefault(folder, {})
        here[last] = value
    return state


def fingerprint(state: Mapping[str, Any]) -> str:
    """A hash of everything in a training state."""
    digest = hashlib.sha256()
    for name, value in sorted(_flat(state)):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value).tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return digest.hexdigest()


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Atomically."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(document))
    os.replace(partial, path)


def read_json(path: Path) -> dict[str, Any]:
    """Raises RecordingError naming the file."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: expected a recording made by `parity steps --record`, found none ({error})") from error


def _flat(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, (*path, key))
        else:
            yield json.dumps([*path, key]), item


def _site(value: list | None) -> Site | None:
    return Site(*value) if value else None
