"""Paddle's parameter files: `.pdparams` (a pickle) and safetensors, as name -> array.

Written as a stream, so that memory holds one block of one tensor, and read as data by `pickles`, which can build arrays
and nothing else: `paddle.load` runs whatever code a file holds.
"""

import math
import pickle
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from . import pickles
from .bits import blocks
from .dtypes import BFLOAT16
from .errors import CheckpointError, brief
from .inputs import existing_file, mapped
from .output import Output
from .safetensors_files import read_safetensors, write_safetensors

FORMATS = ("pdparams", "safetensors")

_PICKLED = (".pdparams", ".pdopt")
_SCHEDULE = "LR_Scheduler"  # of a `.pdopt`: numbers of the learning rate, no tensor
_NAME_TABLE = "StructuredToParameterName@@"  # paddle.save adds it for optimizers; no tensor
_SPLIT = "UnpackBigParamInfor@@"  # arrays of more than 1 GiB, which pickle protocols 2 and 3 do not take whole
_DTYPES = {"b1", "u1", "u2", "i1", "i2", "i4", "i8", "f2", "f4", "f8"}


def read_paddle(path: str | Path) -> dict[str, np.ndarray]:
    """A `.pdparams`, `.pdopt` or `.safetensors` file (by its name) as name -> array. No code from the file is run.

    The arrays are read-only, views of the mapped file (of a `.pdparams` of protocol 2 copies: it spells bytes as text).
    bfloat16, which Paddle writes as uint16, is `ml_dtypes.bfloat16`.

    Raises:
        CheckpointError: missing, a folder, truncated, of another format, asking to run code, or holding
            anything else than arrays.
    """
    path = existing_file(path)
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    if path.suffix in _PICKLED:
        return _read_pdparams(path)
    raise CheckpointError(f"{path}: expected a name that ends in .pdparams, .pdopt or .safetensors")


def write_paddle(path: str | Path, tensors: Iterable[tuple[str, np.ndarray]], checksum: bool = True) -> Output:
    """Writes (name, array) pairs as `.pdparams` or `.safetensors`, by the name of the file; returns what was written:
    its `size` and (None without `checksum`) `sha256`.

    Written block by block, arrays of any memory order; a `.pdparams` opens with plain `paddle.load` under numpy 1
    and 2. Written directly; for an atomic write give a path from `Staging`.

    Raises:
        CheckpointError, OSError: the file cannot be written.
        TypeError: a dtype that Paddle's files do not hold as it is (complex).
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        return write_safetensors(path, dict(tensors), checksum)
    if path.suffix in _PICKLED:
        return _write_pdparams(path, tensors, checksum)
    raise ValueError(f"{path}: expected a name that ends in .pdparams or .safetensors")


# Writing: the pickle that numpy 1 would write. numpy 2 says `numpy._core`, which numpy before 1.26 does not
# know, while every numpy knows `numpy.core.multiarray`. `pickle` itself would hold the whole file in memory.


def _write_pdparams(path: Path, tensors: Iterable[tuple[str, np.ndarray]], checksum: bool) -> Output:
    with Output(path, checksum) as output:
        output.write(pickle.PROTO + b"\x04" + pickle.EMPTY_DICT)
        for name, array in tensors:
            output.write(_text(name) + _array_header(array))
            for block in blocks(array):
                output.write(block)
            output.write(pickle.TUPLE + pickle.BUILD + pickle.SETITEM)
        output.write(pickle.STOP)
    return output


def _array_header(array: np.ndarray) -> bytes:
    """Everything of a pickled ndarray up to its bytes, which must follow, then TUPLE and BUILD."""
    dtype = np.dtype("u2") if array.dtype == BFLOAT16 else array.dtype
    if dtype.str[1:] not in _DTYPES or dtype.byteorder == ">" or array.dtype == np.uint16:
        raise TypeError(f"Paddle files hold native bfloat16, {', '.join(sorted(_DTYPES - {'u2'}))}, not {array.dtype}")
    shape = pickle.MARK + b"".join(_number(n) for n in array.shape) + pickle.TUPLE
    descr = _call("numpy dtype", _text(dtype.str[1:]) + pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3)
    descr += pickle.MARK + _number(3) + _text(dtype.str[0]) + pickle.NONE * 3 + _number(-1) * 2 + _number(0)
    descr += pickle.TUPLE + pickle.BUILD
    empty = pickle.GLOBAL + b"numpy\nndarray\n" + pickle.MARK + _number(0) + pickle.TUPLE
    empty += pickle.BINBYTES + struct.pack("<I", 1) + b"b" + pickle.TUPLE3
    header = _call("numpy.core.multiarray _reconstruct", empty)
    header += pickle.MARK + _number(1) + shape + descr + pickle.NEWFALSE
    return header + pickle.BINBYTES8 + struct.pack("<Q", array.nbytes)


def _call(function: str, arguments: bytes) -> bytes:
    return pickle.GLOBAL + function.replace(" ", "\n").encode() + b"\n" + arguments + pickle.REDUCE


def _number(value: int) -> bytes:
    encoded = pickle.encode_long(value)
    return pickle.LONG1 + bytes([len(encoded)]) + encoded


def _text(value: str) -> bytes:
    encoded = value.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(encoded)) + encoded


# Reading: stand-ins for numpy's reconstructors, which check everything before numpy sees it.


def _read_pdparams(path: Path) -> dict[str, np.ndarray]:
    try:
        content = pickles.load(pickles.Source(mapped(path)), _KNOWN)
        if not isinstance(content, dict):
            raise pickles.Refused(f"expected a dict of arrays, found {type(content).__name__}")
        content.pop(_NAME_TABLE, None)
        if path.suffix == ".pdopt":
            content.pop(_SCHEDULE, None)
        split = content.pop(_SPLIT, {})
        for name, value in content.items():
            if not isinstance(name, str) or getattr(value, "array", None) is None:
                raise pickles.Refused(f"{name}: expected an array under a name, found {_kind(value)}")
        return _joined({name: value.array for name, value in content.items()}, split)
    except pickles.Refused as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise CheckpointError(
            f"{path}: expected Paddle parameters, found a truncated or foreign file ({brief(error)}); "
            "copy it again"
        ) from error


def _joined(arrays: dict[str, np.ndarray], split: Any) -> dict[str, np.ndarray]:
    """Arrays that were split for pickle protocol 2 or 3, whole again."""
    for name, parts in dict(split).items():
        shape = tuple(parts["OriginShape"])
        if len(shape) > 32 or not all(type(n) is int and 0 <= n < 1 << 62 for n in shape):
            raise ValueError("a shape of no sizes")
        if not all(type(piece) is str for piece in parts["slices"]):
            raise ValueError("an array in pieces without names")
        pieces = [arrays.pop(piece) for piece in parts["slices"]]
        arrays[name] = np.concatenate([piece.reshape(-1) for piece in pieces]).reshape(shape)
    return arrays


class _Dtype(pickles.Stateful):
    def __init__(self, name, *_):
        if type(name) is not str or name not in _DTYPES:  # (a tuple of tuples of tuples takes for ever to hash, or to show)
            found = repr(name) if type(name) is str else type(name).__name__
            raise pickles.Refused(f"expected a dtype among {', '.join(sorted(_DTYPES))}, found {found}")
        self.name, self.dtype = name, None

    def set_state(self, state):
        if type(state) is not tuple or type(state[1]) is not str or state[1] not in ("<", ">", "|"):
            raise ValueError("a dtype of no byte order")
        self.dtype = np.dtype(state[1] + self.name)


class _Array(pickles.Stateful):
    def __init__(self, *_):
        self.array = None

    def set_state(self, state):
        if type(state) is not tuple:
            raise ValueError("an array's state is no tuple")
        _, shape, dtype, fortran, data = state
        data = data.encode("latin1") if isinstance(data, str) else data
        if type(dtype) is not _Dtype or type(data) not in (bytes, memoryview) or type(shape) is not tuple:
            raise ValueError("an array's state has parts of the wrong type")
        if len(shape) > 32 or not all(type(n) is int and -1 << 62 < n < 1 << 62 for n in shape):
            raise ValueError("a shape of no sizes")
        if not all(n >= 0 for n in shape):
            raise ValueError(f"shape {shape}")
        if math.prod(shape) * dtype.dtype.itemsize != len(data):
            raise ValueError(f"shape {shape} of {dtype.dtype} does not fit {len(data)} bytes")
        flat = np.frombuffer(data, dtype.dtype).astype(dtype.dtype.newbyteorder("="), copy=False)
        if dtype.name == "u2":
            flat = flat.view(BFLOAT16)
        self.array = flat.reshape(shape[::-1]).T if fortran is True else flat.reshape(shape)


def _latin1(text, encoding):
    """How protocol 2 spells bytes."""
    if type(text) is not str or type(encoding) is not str or encoding != "latin1":
        raise ValueError("text in another encoding than latin1")
    return text.encode("latin1")


_KNOWN = {
    "numpy.core.multiarray._reconstruct": _Array,
    "numpy._core.multiarray._reconstruct": _Array,
    "numpy.ndarray": _Array,
    "numpy.dtype": _Dtype,
    "_codecs.encode": _latin1,
}


def _kind(value: object) -> str:
    return "an array without content" if hasattr(value, "array") else type(value).__name__
