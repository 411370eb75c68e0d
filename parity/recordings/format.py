"""The one format of everything that is recorded, and the one standard by which it is believed.

A recording is a folder:

    DIR/index.json           what it is and how far it goes; `parts`: each other JSON file and its hash
    DIR/NAME.json            one run or several: keys, source lines with their text, events, floors; hashes of values and start
    DIR/NAME.safetensors     its values, each once: a tensor's name is the hash of what it holds
    DIR/start-<hash>.safetensors   what it started from: a nested state of arrays and numbers

Read without either framework, and without trusting it. Every JSON file is sealed with its own hash, so that a floor that was
changed is as plain as a value that was; no path is taken from a file, no link is followed; numbers are what they must be. Whatever
does not fit is a `RecordingError` that says where. (Who forges a recording and seals it again meets the judge: a floor too large to
see anything by is no pass.) Files are renamed into place, the index last: an interrupted recording is readable up to there.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open

from parity.files import InputError
from parity.frameworks.base import BFLOAT16
from parity.numbers.distributions import Drawn
from parity.numbers.strata import Floors
from parity.recordings.projections import SIZE, sketch
from parity.trace.events import Event, Key
from parity.trace.source import Site, relative
from parity.verdict.sinks import Store

FORMAT = 3  # 1 had no hashes of floors, 2 no random numbers
KEEP = ("all", "layers", "summaries")
_LOCK = ".lock"
_OURS = re.compile(r"\.{0,2}(index\.json|(program|step|truth)-\d{4,}\.(json|safetensors)|start-[0-9a-f]{64}\.safetensors)(\.\d+)?")
_HEADER = 1 << 22  # bytes kept free for safetensors' header, which comes first and is known last; spaces fill it
_NAMES = {"float16": "F16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
          "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL"}
_PLAIN = {"complex64": "float32", "complex128": "float64", "bfloat16": "uint16"}  # what numpy or safetensors lacks -> the same bits
_SIZES = ("scale", "unit", "largest", "norm", "unknown")  # of an `Event`, beside its key, order and places


class RecordingError(InputError):
    """A folder is no recording, of another format, damaged, or not of what it is compared with."""


class RecordedSite(Site):
    """A place in a source file of another day or machine, with the text that stood there."""

    text = ""


class StoredEvent(Event):
    """An event whose array lies in a file, and is read each time it is asked for. place: the hash of its value, None for a
    gradient that does not exist."""

    __slots__ = ("_load", "place")

    def __init__(self, place: str | None, load: Callable[[str], np.ndarray], **fields: Any) -> None:
        self.place, self._load = place, load
        super().__init__(array=None, **fields)

    @property
    def array(self) -> np.ndarray | None:
        return None if self.place is None else self._load(self.place)

    @array.setter
    def array(self, value: np.ndarray | None) -> None:
        """Nothing is held, so nothing can be let go."""


# --- writing ---------------------------------------------------------------------------------------------------------


class Writer(Store):
    """A sink that writes each value to a safetensors file as it comes, once, and keeps none.

    keep: one of `KEEP`. `close()` puts the file in its place; from then on the events read their arrays from it.
    """

    keeps = False
    _RECENT = 8  # values that may come again under another name, and need no new hash

    def __init__(self, path: Path, keep: str = "all") -> None:
        super().__init__()
        self.path, self.keep = path, keep
        self.kinds: dict[str, list] = {}  # place -> dtype and shape
        self._partial = _partial(path)
        with _writing(path):
            self._file = self._partial.open("wb")
            self._file.write(_HEADER.to_bytes(8, "little"))
            self._file.seek(8 + _HEADER)
        self._entries: dict[str, dict] = {}
        self._offset = 0
        self._recent: list[tuple[np.ndarray, str]] = []
        self._values: Values | None = None

    def receive(self, event: Event) -> None:
        if self.keep == "all" or not event.key.is_local:
            array = event.array  # once: of another recording it is read each time
            place = None if array is None else self._write(array)
            self.events[event.key] = StoredEvent(place, self._read, key=event.key, order=event.order, site=event.site,
                                                 built=event.built, called=event.called, drawn=event.drawn,
                                                 **{name: getattr(event, name) for name in _SIZES})

    def _write(self, array: np.ndarray) -> str:
        for known, place in self._recent:
            if known is array:
                return place
        if _plain(array.dtype) not in _NAMES:
            raise InputError(f"{self.path}: expected values of numbers to record, found dtype {array.dtype}; known are "
                             f"{', '.join((*_NAMES, *_PLAIN))}, and texts")
        place = digest(array)
        if place not in self.kinds:
            self.kinds[place] = [_name(array.dtype), list(array.shape)]
            self._put(place, sketch(_real(array)) if self.keep == "summaries" else array)
        self._recent = [(array, place), *self._recent[:self._RECENT - 1]]
        return place

    def _put(self, place: str, array: np.ndarray) -> None:
        plain = _plain(array.dtype)
        data = np.ascontiguousarray(array).reshape(-1).view(plain)
        with _writing(self.path):
            self._file.write(data.view(np.uint8).data)
        shape = list(array.shape if plain == _name(array.dtype) else data.shape)
        self._entries[place] = {"dtype": _NAMES[plain], "shape": shape, "data_offsets": [self._offset, self._offset + data.nbytes]}
        self._offset += data.nbytes

    def close(self) -> None:
        """Write the header and put the file in its place."""
        header = json.dumps(self._entries, separators=(",", ":")).encode()
        if len(header) > _HEADER:
            raise InputError(f"{self.path}: {len(self._entries)} values are more than a header of {_HEADER} bytes can name")
        with _writing(self.path):
            self._file.seek(8)
            self._file.write(header.ljust(_HEADER))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._partial, self.path)
        self._recent.clear()

    def discard(self) -> None:
        """Leave nothing behind of what was not completed."""
        with suppress(OSError):  # of a full disk: what was still to be written
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def _read(self, place: str) -> np.ndarray:
        if self._values is None:
            self._values = Values(self.path, self.kinds, self.keep == "summaries")
        return self._values.array(place)


class Table:
    """Events and floors as JSON: keys and sites are numbered."""

    def __init__(self) -> None:
        self._keys: dict[Key, int] = {}
        self._sites: dict[Site, int] = {}

    def events(self, events: Iterable[StoredEvent]) -> list[list]:
        return [[self.key(event.key), event.order, self.site(event.site), self.site(event.built), self.site(event.called),
                 event.place, {name: size for name in _SIZES if _told(name, size := getattr(event, name))}
                 | ({} if event.drawn is None else {"drawn": event.drawn.to_json()})] for event in events]

    def floors(self, floors: Mapping[Key, float]) -> list[list]:
        """Of a value in strata, the floor of each."""
        each = {key: floor.each if isinstance(floor, Floors) else (floor,) for key, floor in floors.items()}
        return [[self.key(key), list(found) if isinstance(floors[key], Floors) else found[0]] for key, found in each.items()
                if all(map(math.isfinite, found))]

    def key(self, key: Key) -> int:
        return self._keys.setdefault(key, len(self._keys))

    def site(self, site: Site | None) -> int:
        return 0 if site is None else self._sites.setdefault(site, len(self._sites) + 1)

    def tables(self) -> dict[str, list]:
        return {"keys": [list(key) for key in self._keys],
                "sites": [[relative(site.file), site.line, site.text] for site in self._sites]}


@contextmanager
def begun(folder: Path) -> Iterator[None]:
    """Makes the folder of a recording, into which nobody else records in the meantime.

    What a killed recording left there that nobody can read is removed. Raises RecordingError where the folder holds anything else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        with suppress(NotImplementedError):  # a disk without locks
            lock.acquire()
    except Timeout:
        raise RecordingError(f"{folder}: another recording is being written there; wait for its end, or choose another") from None
    try:
        _clear(folder)
        yield
    finally:
        with suppress(OSError):  # there are systems that remove no open file; then its release does
            (folder / _LOCK).unlink()
        lock.release()


def _clear(folder: Path) -> None:
    ours = [path for path in folder.iterdir() if _OURS.fullmatch(path.name)]
    empty = _without_parts(folder)
    for path in ours:
        if path.name.startswith(".") or empty:
            path.unlink()
    if any(path.name != _LOCK for path in folder.iterdir()):
        raise RecordingError(f"{folder}: expected an empty folder, found files in it; choose another")


def _without_parts(folder: Path) -> bool:
    """Whether a recording was begun there, and came to none of its parts."""
    try:
        index = read_json(folder / "index.json")
    except RecordingError:
        return False
    return index.get("format") == FORMAT and index.get("parts") == {}


def write_json(path: Path, document: Mapping[str, Any]) -> str:
    """Atomically, sealed with its hash, which is returned."""
    text, seal = _sealed(document)
    with _whole(path) as partial:
        partial.write_text(f'{text[:-1]}, "hash": "{seal}"}}')
    return seal


def write_index(folder: Path, kind: str, parts: Mapping[str, str], document: Mapping[str, Any]) -> None:
    write_json(folder / "index.json", {"kind": kind, "format": FORMAT, **document, "parts": dict(parts)})


def write_start(folder: Path, state: Mapping[str, Any]) -> str:
    """A nested state of arrays and numbers, in one safetensors file, unless it is there; returns its hash."""
    from weights_convert.safetensors_files import write_safetensors  # which needs both frameworks; who reads has none
    name = fingerprint(state)
    path = folder / f"start-{name}.safetensors"
    if not path.exists():
        arrays, numbers, of_parts = {}, {}, []
        for entry, value in _flat(state):
            if isinstance(value, np.ndarray):
                arrays[entry] = np.ascontiguousarray(_real(value)).reshape((*value.shape, *(2,) * (value.dtype.kind == "c")))
                of_parts += [entry] if value.dtype.kind == "c" else []
            else:
                numbers[entry] = value
        with _whole(path) as partial:
            write_safetensors(partial, arrays, metadata={"numbers": json.dumps(numbers), "complex": json.dumps(of_parts)})
    return name


def digest(array: np.ndarray) -> str:
    """A hash of dtype, shape and every bit."""
    found = hashlib.blake2b(f"{_name(array.dtype)} {list(array.shape)} ".encode(), digest_size=16)
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def fingerprint(state: Mapping[str, Any]) -> str:
    """A hash of everything in a nested state."""
    found = hashlib.sha256()
    for name, value in sorted(_flat(state)):
        found.update(name.encode())
        found.update(np.ascontiguousarray(value).tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return found.hexdigest()


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass
class Runs:
    """What a JSON file and the values beside it hold. runs: name -> its events; floors alike."""

    document: Mapping[str, Any]
    runs: dict[str, Store]
    floors: dict[str, dict[Key, float]]
    values: Values
    sites: list[RecordedSite | None]


class Values:
    """The values of one file, by their hash; the last few stay in memory."""

    RECENT = 8

    def __init__(self, path: Path, kinds: Mapping[str, list], summaries: bool) -> None:
        self.path, self.kinds, self.summaries = path, kinds, summaries
        try:
            self._file = safe_open(path, framework="numpy")
            self._names = set(self._file.keys())
        except (SafetensorError, OSError) as error:
            raise RecordingError(f"{path}: expected a safetensors file, cannot read it ({error}); it is damaged, record "
                                 f"again") from error
        self._recent: OrderedDict[str, np.ndarray] = OrderedDict()

    def __contains__(self, place: str) -> bool:
        return place in self._names and place in self.kinds

    def array(self, place: str) -> np.ndarray:
        """The whole value, or its sketch where only that was kept. Raises RecordingError where it is not what it was."""
        if place in self._recent:
            return self._recent[place]
        try:
            found = self._file.get_tensor(place)
        except (SafetensorError, OSError) as error:
            raise RecordingError(f"{self.path}: cannot read value {place} ({error}); the file is damaged, record again") from error
        dtype, shape = self.kinds[place]
        if self.summaries:
            if found.dtype != np.float64 or found.shape != (SIZE,):
                raise RecordingError(f"{self.path}: expected a summary of {SIZE} numbers, found {found.dtype} {found.shape}")
        else:
            expected = dtype_of(dtype)
            if dtype != _name(found.dtype) == _plain(expected) and found.nbytes == math.prod(shape) * expected.itemsize:
                found = np.ascontiguousarray(found).view(expected).reshape(shape)
            if [_name(found.dtype), list(found.shape)] != [dtype, shape] or digest(found) != place:
                raise RecordingError(f"{self.path}: value {place} is not what was recorded: expected {dtype} {shape}, found "
                                     f"{found.dtype} {list(found.shape)} of another hash; the file is damaged, record again")
        self._recent[place] = found
        if len(self._recent) > self.RECENT:
            self._recent.popitem(last=False)
        return found

    def sketch(self, place: str) -> np.ndarray:
        return self.array(place) if self.summaries else sketch(_real(self.array(place)))


def read_index(folder: Path, kind: str, made_by: str, others: Mapping[str, str]) -> dict[str, Any]:
    """others: kind of another recording -> what reads it. Raises RecordingError."""
    if not (folder / "index.json").exists():
        raise RecordingError(f"{folder}: expected a recording made by `{made_by}`, found no index.json in it")
    index = read_json(folder / "index.json", sealed=False)
    found = index.get("kind", "parity steps" if "steps" in index else None)
    if found != kind:
        hint = f" (for this one use `{others[found]}`)" if isinstance(found, str) and found in others else ""
        raise RecordingError(f"{folder}: expected a recording made by `{made_by}`, found another index.json{hint}")
    number = index.get("format")
    if type(number) is not int or number != FORMAT:
        what = "by an older parity, and its floors cannot be checked: record again"
        if type(number) is not int or number > FORMAT:
            what = "by a newer parity: update this one, or record again"
        raise RecordingError(f"{folder}: expected a recording of format {FORMAT}, found {number!r}; it was written {what}")
    index = read_json(folder / "index.json")
    parts = index.get("parts")
    if not isinstance(parts, dict) or not all(isinstance(seal, str) for seal in parts.values()):
        raise RecordingError(f"{folder}/index.json: expected the hashes of its parts, found {parts!r:.80}; record again")
    return index


def read_json(path: Path, seal: str | None = None, *, sealed: bool = True) -> dict[str, Any]:
    """seal: the hash that the index knows it by. Raises RecordingError where the file is not what was written."""
    try:
        document = json.loads(inside(path).read_text())
        own = document.pop("hash", None) if isinstance(document, dict) else None
        right = _sealed(document)[1] if sealed else own
        document = _shown(document)
    except (OSError, ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: expected JSON, cannot read it ({error}); the file is damaged, record again") from error
    if not isinstance(document, dict):
        raise RecordingError(f"{path}: expected a JSON object, found {type(document).__name__}; record again")
    if own != right or (seal is not None and own != seal):
        raise RecordingError(f"{path}: what it holds is not what was recorded, its hash is another; the file is damaged, record "
                             f"again")
    return document


def read_runs(folder: Path, stem: str, index: Mapping[str, Any], *, summaries: bool = False) -> Runs:
    """The JSON file of that stem with its values. Raises RecordingError."""
    path = folder / f"{stem}.json"
    if path.name not in index["parts"]:
        raise RecordingError(f"{path}: expected a part that the index knows, found none of that name; record again")
    document = read_json(path, index["parts"][path.name])
    with fitting(path):
        sites = [None, *(_site(*entry) for entry in document["sites"])]
        keys = [_key(entry) for entry in document["keys"]]
        kinds = {place: _kind(*kind) for place, kind in document["values"].items()}
        values = Values(inside(folder / f"{stem}.safetensors"), kinds, summaries)
        runs: dict[str, Store] = {}
        for run, entries in document["runs"].items():
            runs[run] = store = Store()
            store.apart.update(map(str, document.get("apart", ())))
            for key, order, site, built, called, place, sizes in entries:
                if place is not None and place not in values:
                    raise ValueError(f"value {place!r} is not in the file")
                store.events[keys[_number(key)]] = StoredEvent(
                    place, values.array, key=keys[key], order=finite(order), site=sites[_number(site)], built=sites[_number(built)],
                    called=sites[_number(called)], drawn=Drawn.of_json(sizes["drawn"]) if "drawn" in sizes else None,
                    **{name: _size(name, sizes.get(name)) for name in _SIZES})
        floors = {run: {keys[_number(key)]: _floor(floor) for key, floor in entries}
                  for run, entries in document["floors"].items()}
    return Runs(document, runs, floors, values, sites)


def read_start(folder: Path, name: Any) -> dict[str, Any]:
    """The state of that hash. Raises RecordingError where the file holds another."""
    if not isinstance(name, str) or not re.fullmatch("[0-9a-f]{64}", name):
        raise RecordingError(f"{folder}: expected the hash of a start, found {name!r}; record again")
    path = inside(folder / f"start-{name}.safetensors")
    state: dict[str, Any] = {}
    try:
        with safe_open(path, framework="numpy") as file:
            values = {entry: file.get_tensor(entry) for entry in file.keys()}  # noqa: SIM118 (not a dict)
            told = file.metadata() or {}
        for entry in json.loads(told.get("complex", "[]")):
            values[entry] = values[entry].view(np.result_type(values[entry].dtype, np.complex64))[..., 0]
        values |= json.loads(told.get("numbers", "{}"))
        for entry, value in values.items():
            *folders, last = json.loads(entry)
            here = state
            for part in folders:
                here = here.setdefault(part, {})
            here[last] = value
    except (OSError, SafetensorError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise RecordingError(f"{path}: expected what it started from, cannot read it ({error}); the file is damaged, record "
                             f"again") from error
    if fingerprint(state) != name:
        raise RecordingError(f"{path}: what it started from is not what was recorded; the file is damaged, record again")
    return state


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """What cannot be made sense of in a document is its fault."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RecordingError(f"{path}: expected what a recording holds, found what does not fit ({type(error).__name__}: "
                             f"{error}); record again") from error


def inside(path: Path) -> Path:
    """The file, which must lie in the folder itself: no link leads elsewhere. Raises RecordingError."""
    if path.is_symlink() or not path.is_file():
        raise RecordingError(f"{path}: expected a file of the recording, found {'a link' if path.is_symlink() else 'none'}; record "
                             f"again")
    return path


def finite(number: Any) -> float:
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {number!r}")
    return number


def positive(number: Any) -> float:
    if finite(number) < 0:
        raise ValueError(f"expected no negative number, found {number!r}")
    return number


def dtype_of(name: str) -> np.dtype:
    """The dtype that a recording calls so."""
    if match := re.fullmatch(r"str(\d{1,9})", name):  # numpy's name of a text: its bits, 32 for each character
        return np.dtype(f"<U{int(match[1]) // 32}")
    return BFLOAT16 if name == "bfloat16" else np.dtype(name)


@functools.cache
def _name(dtype: np.dtype) -> str:
    return dtype.name  # numpy makes it up at each asking


def _plain(dtype: np.dtype) -> str:
    """The dtype that holds the same bits where numpy or safetensors lacks it; of a text, its characters' codes."""
    return "uint32" if dtype.kind == "U" else _PLAIN.get(_name(dtype), _name(dtype))


def _real(array: np.ndarray) -> np.ndarray:
    """A text as its characters' numbers, a complex number as its two parts along one more axis; real numbers as they are."""
    if array.dtype.kind == "U":
        return np.ascontiguousarray(array).reshape(-1).view(np.uint32)
    return np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array


def _told(name: str, size: float | None) -> bool:
    """Whether a size of an event says anything."""
    if name == "unknown":
        return size is not None
    return size is not None and math.isfinite(size) and (bool(size) or name == "largest")


def _size(name: str, value: Any) -> Any:
    if name == "unknown":
        return None if value is None else str(value)
    if name == "norm":
        return bool(value)
    if value is None:
        return None if name == "largest" else 0.0
    return positive(value)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no place in a table")
    return value


def _floor(value: Any) -> float:
    return Floors(tuple(map(positive, value))) if isinstance(value, list) else positive(value)


def _kind(dtype: str, shape: list) -> list:
    if dtype not in (*_NAMES, *_PLAIN) and not re.fullmatch(r"str\d{1,9}", dtype):
        raise ValueError(f"{dtype!r} is no dtype of a recorded value")
    return [dtype, [_number(size) for size in shape]]


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


def _shown(value: Any) -> Any:
    """Every text with its control characters spelled out: a terminal would obey them."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(
            one.encode("unicode_escape").decode() if unicodedata.category(one) in ("Cc", "Cf") and one not in "\n\t" else one
            for one in value)
    if isinstance(value, dict):
        return {_shown(key): _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _sealed(document: Mapping[str, Any]) -> tuple[str, str]:
    text = json.dumps(document)
    return text, hashlib.sha256(text.encode()).hexdigest()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordingError(f"{path}: cannot write ({error.strerror}); the recording ends before it; free space, or choose "
                             f"another disk") from error


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Where to write a file that is there whole or not at all."""
    partial = _partial(path)
    try:
        with _writing(path):
            yield partial
            os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _flat(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, (*path, key))
        else:
            yield json.dumps([*path, key]), item
