"""A trace: one side's run of programs, in a folder, so that what ran here can be compared there, or another day.

    DIR/index.json                       side, lane, what was kept, versions, platform; how many programs; whether it is complete
    DIR/program-0001.json                keys in order, source lines with their text, floors of the reference, hashes of the start
    DIR/program-0001.safetensors         its values, each once: a tensor's name is the hash of what it holds
    DIR/start-<hash>.safetensors         weights and inputs, in the reference's names and layouts; shared by the programs

Read without either framework, and without trusting it: no path is taken from a file, every value is checked against its
hash, floors must be finite. Files are renamed into place, the index last, so an interrupted trace is readable up to there.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from parity.files import InputError
from parity.messages import say
from parity.recordings import stored_steps as recording
from parity.recordings.projections import SIZE, apart, sketch
from parity.recordings.stored_steps import StepWriter, StoredEvent, read_state, write_json, write_state
from parity.trace.events import Event, Key
from parity.trace.source import Site, relative
from parity.verdict.sinks import Store

FORMAT = 1
KIND = "parity trace"
KEEP = ("all", "layers", "summaries")
SIDES = ("reference", "twin")


class TraceError(InputError):
    """A folder is no trace, of a newer format, damaged, or not of what it is compared with."""


class RecordedSite(Site):
    """A place in a source file of another day or machine, with the text that stood there."""

    text = ""


def digest(array: np.ndarray) -> str:
    """A hash of dtype, shape and every bit."""
    found = hashlib.blake2b(f"{array.dtype.name} {list(array.shape)} ".encode(), digest_size=16)
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


class TraceWriter(StepWriter):
    """A sink that writes each value once, under the hash of what it holds. keep: one of `KEEP`."""

    def __init__(self, path: Path, keep: str = "all") -> None:
        super().__init__(path)
        self.keep = keep
        self.kinds: dict[str, list] = {}  # place -> dtype and shape

    def receive(self, event: Event) -> None:
        if self.keep == "all" or not event.key.is_local:
            super().receive(event)

    def _write(self, array: np.ndarray) -> str:
        for known, place in self._recent:
            if known is array:
                return place
        place = digest(array)
        if place not in self.kinds:
            self.kinds[place] = [array.dtype.name, list(array.shape)]
            self.put(place, sketch(array) if self.keep == "summaries" else array)
        self._recent = [(array, place), *self._recent[:self._RECENT - 1]]
        return place


@dataclass
class Program:
    """One program of a trace, as read. runs: "free" (each feeds itself) or "replay" -> its values; floors alike."""

    document: Mapping[str, Any]
    runs: dict[str, Store]
    floors: dict[str, dict[Key, float]]
    values: Values
    sites: list[RecordedSite | None]

    @property
    def name(self) -> tuple[str, str]:
        return self.document["title"], self.document["mode"]


class Values:
    """The values of one program, by their hash; the last few stay in memory."""

    RECENT = 8

    def __init__(self, path: Path, kinds: Mapping[str, list], summaries: bool) -> None:
        self.path, self.kinds, self._summaries = path, kinds, summaries
        self._file = _open(path)
        self._names = set(self._file.keys())
        self._recent: OrderedDict[str, np.ndarray] = OrderedDict()

    def __contains__(self, place: str) -> bool:
        return place in self._names

    def array(self, place: str) -> np.ndarray:
        """The whole value, or its sketch where only that was kept. Raises TraceError where it is not what it was."""
        if place in self._recent:
            return self._recent[place]
        try:
            found = self._file.get_tensor(place)
        except (SafetensorError, OSError) as error:
            raise TraceError(f"{self.path}: cannot read value {place} ({error}); the file is damaged, record again") from error
        dtype, shape = self.kinds[place]
        if self._summaries:
            if found.dtype != np.float64 or found.shape != (SIZE,):
                raise TraceError(f"{self.path}: expected a summary of {SIZE} numbers, found {found.dtype} {found.shape}")
        elif [found.dtype.name, list(found.shape)] != [dtype, shape] or digest(found) != place:
            raise TraceError(f"{self.path}: value {place} is not what was recorded: expected {dtype} {shape}, found "
                             f"{found.dtype} {list(found.shape)} of another hash; the file is damaged, record again")
        self._recent[place] = found
        if len(self._recent) > self.RECENT:
            self._recent.popitem(last=False)
        return found

    def sketch(self, place: str) -> np.ndarray:
        return self.array(place) if self._summaries else sketch(self.array(place))


class RecordedEvent(StoredEvent):
    """An event of a trace; `place`: the hash of its value, None for a gradient that does not exist."""

    __slots__ = ("place",)


@dataclass
class Trace:
    """A folder that `parity record` wrote."""

    folder: Path
    index: dict[str, Any]
    programs: int = field(default=0)

    @classmethod
    def open(cls, folder: str | Path) -> Trace:
        """Raises TraceError."""
        folder = Path(folder)
        index = _read(folder, "index.json")
        if not isinstance(index, dict) or index.get("kind") != KIND:
            steps = isinstance(index, dict) and "steps" in index
            hint = " (a recording of training steps: use `parity steps --against`)" if steps else ""
            raise TraceError(f"{folder}: expected a trace made by `parity record`, found another index.json{hint}")
        if not isinstance(index.get("format"), int) or not 1 <= index["format"] <= FORMAT:
            raise TraceError(f"{folder}: expected a trace of format {FORMAT} or older, found {index.get('format')!r}; "
                             f"it was written by a newer parity: update this one, or record again")
        good = (index.get("side") in SIDES and index.get("lane") in ("float64", "float32") and index.get("keep") in KEEP
                and isinstance(index.get("versions"), dict) and isinstance(index.get("planned"), list)
                and isinstance(index.get("programs"), int) and not isinstance(index.get("programs"), bool)
                and 0 <= index["programs"] <= len(index["planned"])
                and all(isinstance(name, list) and len(name) == 2 and all(isinstance(part, str) for part in name)
                        for name in index["planned"]))
        if not good:
            raise TraceError(f"{folder}/index.json: expected side, lane, keep, versions, planned and programs, found {list(index)} "
                             f"with values that do not fit; record again")
        return cls(folder, index, index["programs"])

    @property
    def keep(self) -> str:
        return self.index["keep"]

    @property
    def lane(self) -> str:
        return self.index["lane"]

    @property
    def side(self) -> str:
        return self.index["side"]

    @property
    def complete(self) -> bool:
        return self.programs == len(self.index["planned"])

    @property
    def interrupted(self) -> str | None:
        """What to tell of a trace that breaks off."""
        if self.complete:
            return None
        return say("{folder}: the recording was interrupted after {done} of {planned} programs", folder=self.folder,
                   done=self.programs, planned=len(self.index["planned"]))

    @cached_property
    def names(self) -> dict[tuple[str, str], int]:
        return {tuple(name): number for number, name in enumerate(self.index["planned"][:self.programs], 1)}

    def program(self, name: tuple[str, str]) -> Program:
        """Raises TraceError."""
        number = self.names[name]
        file = f"program-{number:04}.json"
        document = _read(self.folder, file)
        try:
            return self._program(number, document)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise TraceError(f"{self.folder / file}: expected the index of a recorded program, found one that does not fit "
                             f"({type(error).__name__}: {error}); record again") from error

    def start(self, document: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """(weights, inputs) of a program, checked against their hashes. Raises TraceError."""
        name = document["start"]
        if not isinstance(name, str) or not re.fullmatch("[0-9a-f]{64}", name):
            raise TraceError(f"{self.folder}: expected the hash of a start, found {name!r}; record again")
        path = _inside(self.folder, f"start-{name}.safetensors")
        try:
            state = read_state(path)
            weights, inputs = state.get("weights", {}), {key: state["inputs"][key] for key in document["arguments"]}
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise TraceError(f"{path}: expected weights and inputs, cannot read them ({error}); record again") from error
        if recording.fingerprint(weights) != document["weights"] or recording.fingerprint(inputs) != document["inputs"]:
            raise TraceError(f"{path}: weights or inputs are not those that were recorded; the file is damaged, record again")
        return weights, inputs

    def _program(self, number: int, document: dict[str, Any]) -> Program:
        if [document["title"], document["mode"]] != self.index["planned"][number - 1]:
            raise ValueError(f"program {document['title']!r}, where {self.index['planned'][number - 1]!r} was announced")
        for name in ("weights", "inputs", "start", "name", "stage"):
            if not isinstance(document[name], str):
                raise ValueError(f"{name} is no string")
        sites = [None, *(_site(*entry) for entry in document["sites"])]
        keys = [_key(entry) for entry in document["keys"]]
        values = Values(_inside(self.folder, f"program-{number:04}.safetensors"), document["values"], self.keep == "summaries")
        runs = {}
        for run, entries in document["runs"].items():
            runs[run] = store = Store()
            for key, order, site, built, called, largest, place in entries:
                if place is not None and (place not in values or place not in document["values"]):
                    raise ValueError(f"value {place!r} is not in the file")
                event = RecordedEvent(
                    (lambda place=place: values.array(place)) if place is not None else (lambda: None), key=keys[key],
                    order=_finite(order), site=sites[site], built=sites[built], called=sites[called],
                    largest=None if largest is None else _finite(largest))
                event.place = place
                store.events[keys[key]] = event
        floors = {run: {keys[key]: _finite(floor) for key, floor in entries} for run, entries in document["floors"].items()}
        return Program(document, runs, floors, values, sites)


def distance(one: Program, other: Program, left: RecordedEvent, right: RecordedEvent) -> Any:
    """A lower bound of how far apart two values are, of which at least one is there as a summary only. None: compare whole."""
    if left.place is None or right.place is None or one.values.kinds[left.place] != other.values.kinds[right.place]:
        return None
    shape = tuple(one.values.kinds[left.place][1])
    return apart(one.values.sketch(left.place), other.values.sketch(right.place), shape)


class Indexed:
    """The JSON half of a program, while it is written: keys and sites are numbered."""

    def __init__(self) -> None:
        self.keys: dict[Key, int] = {}
        self.sites: dict[Site, int] = {}

    def events(self, events: Iterator[Event], places: Mapping[Key, str | None]) -> list[list]:
        return [[self.key(event.key), event.order, self.site(event.site), self.site(event.built), self.site(event.called),
                 event.largest if event.largest is None or math.isfinite(event.largest) else None, places[event.key]]
                for event in events]

    def floors(self, floors: Mapping[Key, float]) -> list[list]:
        return [[self.key(key), floor] for key, floor in floors.items()]

    def key(self, key: Key) -> int:
        return self.keys.setdefault(key, len(self.keys))

    def site(self, site: Site | None) -> int:
        return 0 if site is None else self.sites.setdefault(site, len(self.sites) + 1)

    def tables(self) -> dict[str, list]:
        return {"keys": [list(key) for key in self.keys],
                "sites": [[relative(site.file), site.line, site.text] for site in self.sites]}


def save_start(folder: Path, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Writes weights and inputs, unless they are there; returns their hashes."""
    state = {"weights": dict(weights), "inputs": dict(inputs)}
    start = recording.fingerprint(state)
    path = folder / f"start-{start}.safetensors"
    if not path.exists():
        write_state(path, state)
    return {"start": start, "weights": recording.fingerprint(weights), "inputs": recording.fingerprint(inputs),
            "arguments": list(inputs)}


def save_index(folder: Path, index: Mapping[str, Any]) -> None:
    write_json(folder / "index.json", {"kind": KIND, "format": FORMAT, **index})


def _inside(folder: Path, name: str) -> Path:
    """The file, which must lie in the folder itself: no link leads elsewhere. Raises TraceError."""
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise TraceError(f"{path}: expected a file of the trace, found {'a link' if path.is_symlink() else 'none'}; record again")
    return path


def _open(path: Path) -> Any:
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise TraceError(f"{path}: expected a safetensors file, cannot read it ({error}); it is damaged, record again") from error


def _read(folder: Path, name: str) -> Any:
    if not (folder / name).exists() and name == "index.json":
        raise TraceError(f"{folder}: expected a trace made by `parity record`, found no index.json in it")
    path = _inside(folder, name)
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise TraceError(f"{path}: expected JSON, cannot read it ({error}); the file is damaged, record again") from error


def _key(entry: list) -> Key:
    key = Key(*entry)
    texts = (key.stage, key.module, key.function, key.variable)
    numbers = (key.step, key.call, key.frame, key.occurrence)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise ValueError(f"{entry!r} is no key")
    return key


def _site(file: str, line: int, text: str) -> RecordedSite:
    if not isinstance(file, str) or not isinstance(text, str) or type(line) is not int:
        raise ValueError(f"{[file, line]!r} is no source line")
    site = RecordedSite(file, line)
    site.text = text
    return site


def _finite(number: Any) -> float:
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {number!r}")
    if number < 0 and isinstance(number, float):
        raise ValueError(f"expected no negative number, found {number!r}")
    return number
