"""What `torch.save` writes, tensor by tensor: `torch.save` itself wants all of them in memory."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .absent import framework
from .bits import blocks
from .dtypes import TORCH_STORAGES, code_of
from .errors import CheckpointError, brief
from .output import Output

torch = framework("torch")

_ALIGNED = 64  # bytes: where torch puts the storages, so that they can be mapped
_FOLDER = "archive"

Tensors = Iterable[tuple[str, np.ndarray]]


def write_torch(
    path: str | Path,
    states: Mapping[str, Mapping[str, np.ndarray]],
    metadata: Mapping | None = None,
    bare: bool = False,
    progress: Callable[[str, int], None] | None = None,
    checksum: bool = False,
) -> Output:
    """torch.save of an ordered dict of state dicts: the layout of an official checkpoint.

    Args:
        path: written directly; for an atomic write give a path from `Staging`.
        states: network -> (name -> array), any memory order.
        metadata: network -> the `_metadata` of its `state_dict()`, which torch keeps for versioned layers.
        bare: write the state dict of the single network by itself.
        progress: called with (`network/tensor`, bytes) for each tensor written.
        checksum: the file's SHA-256 is computed on the way.
    Returns:
        What was written: its `size` and `sha256`.
    Raises:
        CheckpointError, OSError: the file cannot be written.
        TypeError: a dtype that torch does not have.
    """
    storages: list[np.ndarray] = []
    content = OrderedDict()
    for name, value in states.items():
        content[name] = _described(value, storages)
        if metadata and name in metadata:
            content[name]._metadata = metadata[name]
    names = iter([f"{name}/{key}" for name, value in states.items() for key in (value if isinstance(value, Mapping) else [""])])
    told = progress and (lambda nbytes: progress(next(names), nbytes))
    return write_archive(path, next(iter(content.values())) if bare else content, storages, told, checksum)


def write_archive(
    path: str | Path, content: Any, storages: list[np.ndarray], progress: Callable[[int], None] | None = None,
    checksum: bool = False,
) -> Output:  # fmt: skip
    """torch.save of anything in which `described` stands for the tensors."""
    try:
        with Output(path, checksum) as output, zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
            _member(archive, "data.pkl", [_pickled(content)])
            _member(archive, "byteorder", [b"little"])
            for key, array in enumerate(storages):
                _member(archive, f"data/{key}", blocks(array), array.nbytes)
                if progress:
                    progress(array.nbytes)
            _member(archive, "version", [b"3\n"])
    except OSError as error:
        raise CheckpointError(f"{Path(path).name}: cannot write ({brief(error)})") from error
    except ValueError as error:
        # What stopped the writing between the opening of a member and its `with` leaves an archive that cannot be closed.
        raise error if error.__context__ is None else error.__context__ from None
    return output


def described(array: np.ndarray, storages: list[np.ndarray]) -> "_Tensor":
    """What stands for a tensor in the pickle; its bytes are added to the storages."""
    storages.append(array)
    return _Tensor(_Storage(len(storages) - 1, code_of(TORCH_STORAGES, array.dtype), array.size), array.shape)


def _described(value, storages):
    if isinstance(value, Mapping):
        return OrderedDict((name, _described(array, storages)) for name, array in value.items())
    return described(np.asarray(value), storages)


class _Storage:
    def __init__(self, key: int, kind: str, count: int):
        self.identity = ("storage", getattr(torch, kind.removeprefix("torch.")), str(key), "cpu", count)


class _Tensor:
    def __init__(self, storage: _Storage, shape: tuple[int, ...]):
        self._storage, self._shape = storage, shape

    def __reduce__(self):
        strides = [1]
        for n in reversed(self._shape[1:]):
            strides.insert(0, strides[0] * max(n, 1))
        arguments = self._storage, 0, self._shape, tuple(strides[: len(self._shape)]), False, OrderedDict()
        return torch._utils._rebuild_tensor_v2, arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.identity if isinstance(value, _Storage) else None


def _pickled(content: Any) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=2).dump(content)
    return buffer.getvalue()


def _member(archive: zipfile.ZipFile, name: str, pieces: Iterable, size: int = 0) -> None:
    """One member, its bytes at a multiple of `_ALIGNED`, by an extra field that readers skip (torch does the same)."""
    info = zipfile.ZipInfo(f"{_FOLDER}/{name}")
    large = size >= zipfile.ZIP64_LIMIT // 2
    header = archive.fp.tell() + 30 + len(info.filename) + 4 + 20 * large
    padding = -header % _ALIGNED
    info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    with archive.open(info, "w", force_zip64=large) as member:
        for piece in pieces:
            member.write(piece)
