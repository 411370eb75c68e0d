"""PyTorch checkpoint files as arrays that are views of the mapped file: no code is run, no memory taken, no GPU needed.

The zip format (since torch 1.6) and the one before it are both a pickle, which names storages, and the storages' bytes as
they lay in memory. torch itself is not asked: it maps zip files only, and trusts what they say of themselves.
"""

import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import pickles
from .dtypes import TORCH_STORAGES
from .errors import CheckpointError, brief
from .inputs import existing_file, mapped

_DEEPEST = 2  # a dict of state dicts
_SHARED = 4  # tensors may share storages (tied weights), but not so that a small file becomes a huge result
_DIMENSIONS = 32
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of a file before torch 1.6

State = dict[str, np.ndarray]


def read_torch(path: str | Path) -> dict[str, State | np.ndarray]:
    """A `.pt` file as it is: name -> array, or name -> (name -> array), in the order of the file.

    Zip and legacy files are both mapped into memory, and the arrays are read-only views of the map; bfloat16 is
    `ml_dtypes.bfloat16`. Storages saved on a GPU come to the CPU. No code from the file is run.

    Raises:
        CheckpointError: missing, a folder, empty, truncated, of another format, compressed, asking to run
            code, or holding anything else than dense tensors of a known dtype.
    """
    return arrays_of(Path(path), read_tree(path))


def arrays_of(path: Path, content: Mapping) -> dict[str, State | np.ndarray]:
    """What `read_tree` found, with an array for each tensor. Raises CheckpointError for anything else than tensors."""
    return _to_arrays(path, content, _Allowance(path))


def read_tree(path: str | Path) -> Mapping:
    """As `read_torch`, but with everything that the file holds: numbers, lists, and each tensor as a `Tensor`."""
    path = existing_file(path)
    buffer = mapped(path)
    zipped = bytes(buffer[:4]) == b"PK\x03\x04"
    try:
        content = _read_zip(path, buffer) if zipped else _read_legacy(buffer)
    except CheckpointError:
        raise
    except pickles.Refused as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # a damaged file can raise nearly anything
        raise _unreadable(path, error) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: expected a dict of tensors, found {_a(content)}; save a state_dict")
    return content


@dataclass
class Storage:
    """Bytes of the file that tensors are made of. `data` is None until it is known where they lie."""

    dtype: np.dtype
    count: int
    data: memoryview | None = None


@dataclass
class Tensor:
    """A tensor as the file describes it; nothing is believed before `array`."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, where: str) -> np.ndarray:
        """A read-only view of the file. Raises CheckpointError."""
        storage = self.storage
        numbers = (self.offset, *self.shape, *self.strides)
        sound = len(self.shape) == len(self.strides) <= _DIMENSIONS
        if not sound or not all(type(n) is int and 0 <= n < 1 << 62 for n in numbers):  # not shown: it can be anything
            raise CheckpointError(f"{where}: its shape, strides or offset are no sizes; the file is damaged")
        count = 1
        for n in self.shape:
            count *= n
        if count > storage.count or storage.data is None:
            raise CheckpointError(f"{where}: claims shape {self.shape}, but the file holds fewer bytes for it")
        item = storage.dtype.itemsize
        try:
            if not count:
                array = np.empty(self.shape, storage.dtype)
            else:
                array = np.ndarray(self.shape, storage.dtype, storage.data, self.offset * item,
                                   tuple(n * item for n in self.strides))  # fmt: skip
        except Exception as error:  # ValueError, TypeError, OverflowError
            raise CheckpointError(f"{where}: its shape {self.shape} does not fit its storage ({brief(error)})") from error
        array.flags.writeable = False
        return array


class _Unsupported(pickles.Stateful):
    """A tensor that is no dense one of numbers."""

    def __init__(self, what: str):
        self.what = what


class _Allowance:
    """What all arrays of one file may add up to."""

    def __init__(self, path: Path):
        self._path, self._left = path, _SHARED * path.stat().st_size

    def take(self, array: np.ndarray) -> None:
        self._left -= array.nbytes + 64
        if self._left < 0:
            raise CheckpointError(f"{self._path}: its tensors add up to more than {_SHARED} times the file; "
                                  "they share storages as no weights do")


def _read_zip(path: Path, buffer: memoryview) -> Any:
    members = _members(path)
    # torch writes one folder, named after the file
    folder = next((name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")), None)
    if folder is None:
        raise CheckpointError(f"{path}: a zip file, but not a PyTorch checkpoint (it has no data.pkl)")

    def member(name: str) -> memoryview:
        try:
            info = members[folder + name]
        except KeyError:
            raise CheckpointError(f"{path}: damaged: it has no member {folder + name}; copy it again") from None
        start = info.header_offset
        signature, lengths = bytes(buffer[start : start + 4]), bytes(buffer[start + 26 : start + 30])
        if signature != b"PK\x03\x04" or len(lengths) != 4:
            raise CheckpointError(f"{path}: damaged: no member begins where {info.filename!r} should; copy it again")
        start += 30 + sum(struct.unpack("<HH", lengths))
        if start + info.file_size > len(buffer):
            raise CheckpointError(f"{path}: truncated within member {info.filename!r}; copy it again")
        return buffer[start : start + info.file_size]

    if folder + "byteorder" in members and bytes(member("byteorder")).strip() != b"little":
        raise CheckpointError(f"{path}: written on a big-endian machine, which is not read; save it again with torch")

    def storage(identity: Any) -> Storage:
        found, key, view = _storage(identity)
        data = member(f"data/{key}")
        if view is not None or len(data) != found.count * found.dtype.itemsize:
            raise CheckpointError(f"{path}: storage {key} should be {found.count} numbers of {found.dtype}, "
                                  f"found {len(data)} bytes; the file is damaged")
        found.data = data
        return found

    return pickles.load(pickles.Source(member("data.pkl")), _KNOWN, storage)


def _members(path: Path) -> dict[str, zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except Exception as error:  # zipfile, too, raises nearly anything on a damaged file
        raise CheckpointError(
            f"{path}: a damaged or truncated zip file ({brief(error)}); copy it again"
        ) from error
    members = {member.filename: member for member in found}
    if len(members) != len(found):
        raise CheckpointError(f"{path}: two members of the zip file share a name; not written by torch.save")
    if any(name.endswith("/constants.pkl") for name in members):
        raise CheckpointError(f"{path}: a TorchScript program, not a checkpoint; torch.jit.load it and save its state_dict")
    for member in found:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise CheckpointError(
                f"{path}: member {member.filename!r} is compressed; save it again with torch.save"
            )
    return members


def _read_legacy(buffer: memoryview) -> Any:
    """Three small pickles (magic number, version, machine), the content, the storages' keys, then their bytes."""
    source = pickles.Source(buffer)
    magic = pickles.load(source, {})
    if type(magic) is not int or magic != _MAGIC or pickles.load(source, {}) != _PROTOCOL:
        raise ValueError("no magic number of PyTorch")
    machine = pickles.load(source, {})
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise ValueError("written on a big-endian machine")
    storages: dict[str, Storage] = {}
    views: list[tuple[Storage, Storage, int]] = []

    def storage(identity: Any) -> Storage:
        found, key, view = _storage(identity)
        root = storages.setdefault(key, found)
        if root.dtype != found.dtype or root.count != found.count:
            raise ValueError(f"two different storages {key}")
        if view is None:
            return root
        _, offset, count = view  # a storage that is part of another
        part = Storage(found.dtype, count)
        views.append((part, root, offset))
        return part

    content = pickles.load(source, _KNOWN, storage)
    keys = pickles.load(source, {})
    position = source.tell()
    for key in keys:
        if type(key) is not str:
            raise ValueError("a storage without a name")
        found = storages.pop(key)
        (count,) = struct.unpack("<q", bytes(buffer[position : position + 8]))
        size = count * found.dtype.itemsize
        if count != found.count or not 0 <= size <= len(buffer) - position - 8:
            raise ValueError(f"storage {key} is cut short")
        found.data = buffer[position + 8 : position + 8 + size]
        position += 8 + size
    if storages:
        raise ValueError(f"storage {next(iter(storages))} is missing")
    for part, root, offset in views:
        start, size = offset * root.dtype.itemsize, part.count * root.dtype.itemsize
        if not 0 <= start <= start + size <= len(root.data):
            raise ValueError("a view beyond its storage")
        part.data = root.data[start : start + size]
    return content


def _storage(identity: Any) -> tuple[Storage, str, tuple | None]:
    """What `("storage", type, key, location, count[, view])` stands for; where it was (a GPU) does not matter."""
    tag, kind, key, _, count, *view = identity
    view = view[0] if view else None
    if tag != "storage" or type(kind) is not pickles.Name or type(key) is not str or type(count) is not int or count < 0:
        raise ValueError("a persistent id of no storage")
    if view is not None and [type(part) for part in view] != [str, int, int]:
        raise ValueError("a view of no storage")
    return Storage(TORCH_STORAGES[kind], count), key, view


def _rebuild_tensor(storage: Storage, offset: int, shape: tuple, strides: tuple, *_: Any) -> Tensor:
    if type(storage) is not Storage or type(shape) is not tuple or type(strides) is not tuple:
        raise ValueError("a tensor of no storage")
    return Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor: Tensor, *_: Any) -> Tensor:
    if type(tensor) is not Tensor:
        raise ValueError("a parameter of no tensor")
    return tensor


def _ordered(*items: Any) -> OrderedDict:
    """Empty, to be filled by the pickle; or, as Python 2 wrote it, of a list of [name, value]."""
    pairs = items[0] if items else []
    if len(items) > 1 or type(pairs) is not list or not all(type(pair) is list and len(pair) == 2 and type(pair[0]) is str
                                                            for pair in pairs):
        raise ValueError("an OrderedDict of no names and values")
    return OrderedDict(pairs)


def _unsupported(what: str) -> Callable[..., _Unsupported]:
    return lambda *_: _Unsupported(what)


_KNOWN: dict[str, Callable] = {
    "collections.OrderedDict": _ordered,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_sparse_tensor": _unsupported("a sparse tensor"),
    "torch._utils._rebuild_qtensor": _unsupported("a quantized tensor"),
    "torch._utils._rebuild_meta_tensor_no_storage": _unsupported("a tensor without content (meta)"),
    "torch.serialization._get_layout": _unsupported("a layout"),
    "torch.Size": lambda shape: tuple(shape),
    **dict.fromkeys(TORCH_STORAGES, _unsupported("a storage")),
    **{f"torch.{name}": _unsupported(f"torch.{name}")
       for name in ("ComplexFloatStorage", "ComplexDoubleStorage", "QInt8Storage", "QUInt8Storage", "bfloat16")},
}  # fmt: skip


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    if tarfile.is_tarfile(path):
        return CheckpointError(
            f"{path}: a tar archive (torch before 0.2), which is not read; save it again with torch"
        )
    return CheckpointError(
        f"{path}: expected a PyTorch checkpoint, found a truncated or foreign file ({brief(error)}); "
        "copy or download it again"
    )


def _to_arrays(path: Path, content: Mapping, allowance: _Allowance, prefix: str = "", depth: int = 1) -> dict:
    result = {}
    for name, value in content.items():
        where = f"{path}: {prefix}{name}"
        if not isinstance(name, str):
            raise CheckpointError(f"{where}: expected names, found a key that is {_a(name)}")
        if isinstance(value, Mapping) and depth < _DEEPEST:
            result[name] = _to_arrays(path, value, allowance, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, (Tensor, np.ndarray)):
            result[name] = value.array(where) if isinstance(value, Tensor) else value
            allowance.take(result[name])
        elif isinstance(value, _Unsupported):
            raise CheckpointError(f"{where}: expected a dense CPU tensor of a known dtype, found {value.what}; "
                                  "convert it in torch")
        else:
            raise CheckpointError(
                f"{where}: expected a tensor, found {_a(value)}; of a training's checkpoint say where the weights are "
                "(--prefix model), or keep only state_dicts in the file"
            )
    return result


def _a(value: object) -> str:
    return f"of type {type(value).__name__}"
