"""Paddle's parameter files: `.pdparams` (a pickle) and safetensors, as name -> array.

A `.pdparams` is written as a stream, so that memory holds one block of one tensor, and read by an unpickler
that can
build arrays and nothing else: `paddle.load` runs whatever code a file holds.
"""

import hashlib
import math
import pickle
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from .bits import as_bytes, sha256_file
from .errors import CheckpointError, brief
from .inputs import existing_file

FORMATS = ("pdparams", "safetensors")

_NAME_TABLE = "StructuredToParameterName@@"  # paddle.save adds it for optimizers; no tensor
_DTYPES = {"b1", "u1", "i1", "i2", "i4", "i8", "f2", "f4", "f8"}
_BLOCK = 16 << 20


def read_paddle(path: str | Path) -> dict[str, np.ndarray]:
    """A `.pdparams` or `.safetensors` file (by its name) as name -> array. No code from the file is run.

    Raises:
        CheckpointError: missing, a folder, truncated, of another format, asking to run code, or holding
            anything else than arrays.
    """
    path = existing_file(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix == ".pdparams":
        return _read_pdparams(path)
    raise CheckpointError(f"{path}: expected a name that ends in .pdparams or .safetensors")


def write_paddle(path: str | Path, tensors: Iterable[tuple[str, np.ndarray]]) -> str:
    """Writes (name, array) pairs as `.pdparams` or `.safetensors`, by the name of the file, and returns its
    SHA-256.

    A `.pdparams` is written tensor by tensor, arrays of any memory order, and opens with plain `paddle.load`
    under numpy 1 and 2. Written directly; for an atomic write give a path from `Staging`.

    Raises:
        CheckpointError, OSError: the file cannot be written.
        TypeError: a dtype that Paddle's files do not hold as it is (bfloat16, complex).
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        try:
            safetensors.numpy.save_file({name: np.asarray(array, order="C") for name, array in tensors}, path)
        except safetensors.SafetensorError as error:
            raise CheckpointError(f"{path.name}: cannot write ({brief(error)})") from error
        return sha256_file(path)
    if path.suffix == ".pdparams":
        return _write_pdparams(path, tensors)
    raise ValueError(f"{path}: expected a name that ends in .pdparams or .safetensors")


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        return safetensors.numpy.load_file(path)
    except Exception as error:
        raise CheckpointError(
            f"{path}: expected a safetensors file, found a truncated or foreign one ({brief(error)}); "
            "copy it again"
        ) from error


# Writing: the pickle that numpy 1 would write. numpy 2 says `numpy._core`, which numpy before 1.26 does not
# know, while every numpy knows `numpy.core.multiarray`. `pickle` itself would hold the whole file in memory.


def _write_pdparams(path: Path, tensors: Iterable[tuple[str, np.ndarray]]) -> str:
    digest = hashlib.sha256()
    with open(path, "wb") as file:

        def put(data) -> None:
            file.write(data)
            digest.update(data)

        put(pickle.PROTO + b"\x04" + pickle.EMPTY_DICT)
        for name, array in tensors:
            put(_text(name) + _array_header(array))
            for block in _blocks(array):
                put(as_bytes(block))
            put(pickle.TUPLE + pickle.BUILD + pickle.SETITEM)
        put(pickle.STOP)
    return digest.hexdigest()


def _array_header(array: np.ndarray) -> bytes:
    """Everything of a pickled ndarray up to its bytes, which must follow, then TUPLE and BUILD."""
    dtype = array.dtype
    if dtype.str[1:] not in _DTYPES or dtype.byteorder == ">":
        raise TypeError(f"Paddle files hold native {', '.join(sorted(_DTYPES))}, not {dtype}")
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


def _blocks(array: np.ndarray) -> Iterable[np.ndarray]:
    """The array in slices of bounded size along its first axis, so that transposing needs little memory."""
    if array.flags.c_contiguous or not array.size:
        yield array
        return
    rows = max(1, _BLOCK * len(array) // array.nbytes)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


# Reading: stand-ins for numpy's reconstructors that check everything before numpy sees it. They are made
# anew for each file, because a pickle may set attributes of whatever it can name.


def _read_pdparams(path: Path) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file:
            content = _ArrayUnpickler(file).load()
    except _Refused as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise CheckpointError(
            f"{path}: expected Paddle parameters, found a truncated or foreign file ({brief(error)}); "
            "copy it again"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a dict of arrays, found {type(content).__name__}")
    content.pop(_NAME_TABLE, None)
    result = {}
    for name, value in content.items():
        if not isinstance(name, str) or getattr(value, "array", None) is None:
            raise CheckpointError(f"{path}: {name}: expected an array under a name, found {_kind(value)}")
        result[name] = value.array
    return result


class _Refused(Exception):
    pass


class _ArrayUnpickler(pickle._Unpickler):
    """The one written in Python: a hostile memo index costs it nothing, where C would allocate gigabytes."""

    def __init__(self, file):
        super().__init__(file, encoding="latin1")  # files from Python 2 hold bytes as str
        self._known = _stand_ins()

    def find_class(self, module: str, name: str):
        try:
            return self._known[module, name]
        except KeyError:
            raise _Refused(
                f"expected arrays only, but the file asks to import {module}.{name}; its code was not run; "
                "save a plain state_dict with paddle.save, or use a file that you trust"
            ) from None

    def get_extension(self, code):
        raise _Refused("expected arrays only, but the file uses pickle's extension registry")


def _stand_ins() -> dict[tuple[str, str], type]:
    class Dtype:
        def __init__(self, name, *_):
            if name not in _DTYPES:
                raise _Refused(f"expected a dtype among {', '.join(sorted(_DTYPES))}, found {name!r}")
            self.name = name

        def __setstate__(self, state):
            if state[1] not in ("<", ">", "|"):
                raise ValueError(f"byte order {state[1]!r}")
            self.dtype = np.dtype(state[1] + self.name)

    class Array:
        def __init__(self, *_):
            self.array = None

        def __setstate__(self, state):
            _, shape, dtype, fortran, data = state
            data = data.encode("latin1") if isinstance(data, str) else data
            if type(dtype) is not Dtype or type(data) is not bytes or type(shape) is not tuple:
                raise ValueError("an array's state has parts of the wrong type")
            if not all(type(n) is int and n >= 0 for n in shape):
                raise ValueError(f"shape {shape}")
            if math.prod(shape) * dtype.dtype.itemsize != len(data):
                raise ValueError(f"shape {shape} of {dtype.dtype} does not fit {len(data)} bytes")
            flat = np.frombuffer(data, dtype.dtype).astype(dtype.dtype.newbyteorder("="), copy=False)
            self.array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)

    class Latin1(bytes):  # how protocol 2 spells bytes
        def __new__(cls, text, encoding):
            if encoding != "latin1":
                raise ValueError(f"encoding {encoding!r}")
            return text.encode("latin1")

        def __setstate__(self, state):
            raise ValueError("bytes have no state")

    return {
        ("numpy.core.multiarray", "_reconstruct"): Array,
        ("numpy._core.multiarray", "_reconstruct"): Array,
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Dtype,
        ("_codecs", "encode"): Latin1,
    }


def _kind(value: object) -> str:
    return "an array without content" if hasattr(value, "array") else type(value).__name__
