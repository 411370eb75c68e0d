"""safetensors files: a JSON header, then the arrays' bytes. Read by mapping, written tensor by tensor.

The `safetensors` library copies what it reads and wants all that it writes in memory; the tests hold these files to it.
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .bits import blocks
from .dtypes import SAFETENSORS, code_of
from .errors import CheckpointError, brief
from .inputs import existing_file, mapped
from .output import Output

_LARGEST_HEADER = 100_000_000  # bytes; the library's own limit


def read_safetensors(path: str | Path) -> dict[str, np.ndarray]:
    """name -> array, read-only views of the mapped file. Raises CheckpointError."""
    path = existing_file(path)
    try:
        return _read(mapped(path))
    except Exception as error:  # whatever a foreign header makes of the reading of it
        raise CheckpointError(
            f"{path}: expected a safetensors file, found a truncated or foreign one ({brief(error)}); "
            "copy it again"
        ) from error


def write_safetensors(path: str | Path, tensors: Mapping[str, np.ndarray], checksum: bool = True,
                      metadata: Mapping[str, str] | None = None) -> Output:
    """Writes the arrays, of any memory order, in the order given; returns what was written: its `size` and `sha256`.

    metadata: text -> text, for the header. Raises OSError, and TypeError for a dtype that the format does not have.
    """
    header, offset = {"__metadata__": dict(metadata)} if metadata else {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": code_of(SAFETENSORS, array.dtype), "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}  # fmt: skip
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with Output(path, checksum) as output:
        output.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            for block in blocks(array):
                output.write(block)
    return output


def _read(buffer: memoryview) -> dict[str, np.ndarray]:
    (size,) = struct.unpack("<Q", bytes(buffer[:8]))
    if size > min(len(buffer) - 8, _LARGEST_HEADER):
        raise ValueError(f"a header of {size} bytes")
    header = json.loads(bytes(buffer[8 : 8 + size]).decode(), object_pairs_hook=_unique)
    if type(header) is not dict:
        raise ValueError("the header is no object")
    header.pop("__metadata__", None)
    data, spans, result = buffer[8 + size :], [], {}
    for name, entry in header.items():
        dtype, shape = SAFETENSORS[entry["dtype"]], entry["shape"]
        start, end = entry["data_offsets"]
        if len(shape) > 32 or not all(type(n) is int and 0 <= n < 1 << 62 for n in (start, end, *shape)):
            raise ValueError(f"{name[:80]}: its shape or offsets are no sizes")
        if end - start != math.prod(shape) * dtype.itemsize or end > len(data):
            raise ValueError(f"{name}: shape {shape} of {dtype} does not fit bytes {start} to {end}")
        spans.append((start, end))
        result[name] = np.ndarray(tuple(shape), dtype, data, start) if end > start else np.empty(shape, dtype)
        result[name].flags.writeable = False
    ends = [0, *(end for _, end in sorted(spans))]
    if [start for start, _ in sorted(spans)] != ends[:-1] or ends[-1] != len(data):
        raise ValueError("the arrays overlap, or leave gaps")
    return result


def _unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two entries share a name")
    return found
