"""The number types that are carried over, under the names of numpy, torch, Paddle, and the file formats.

numpy itself has no bfloat16; `ml_dtypes` adds it. Paddle keeps a bfloat16 in a `.pdparams` as numpy's uint16, and takes
every uint16 that it finds there for one: it has no uint16 tensors.
"""

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

_SAFETENSORS = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
}  # fmt: skip
_TORCH_STORAGES = {
    "BoolStorage": "bool", "ByteStorage": "uint8", "CharStorage": "int8", "ShortStorage": "int16",
    "IntStorage": "int32", "LongStorage": "int64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "FloatStorage": "float32", "DoubleStorage": "float64",
}  # fmt: skip


def named(name: str) -> np.dtype:
    """The numpy dtype of that name ("float32", "bfloat16", ...)."""
    return BFLOAT16 if name == "bfloat16" else np.dtype(name)


SAFETENSORS = {code: named(name) for code, name in _SAFETENSORS.items()}
TORCH_STORAGES = {f"torch.{storage}": named(name) for storage, name in _TORCH_STORAGES.items()}


def kind(name: str) -> str:
    """'float' for float16, bfloat16, float32 and float64; 'int' for int8 to int64; ..."""
    return name.removeprefix("b").rstrip("0123456789") if name != "bool" else name


def is_float(dtype: np.dtype) -> bool:
    return kind(dtype.name) == "float"


def code_of(codes: dict[str, np.dtype], dtype: np.dtype) -> str:
    """The file format's name of a dtype. Raises TypeError where it has none."""
    for code, known in codes.items():
        if known == dtype:
            return code
    raise TypeError(f"weights are kept as {', '.join(sorted(known.name for known in codes.values()))}, not {dtype}")
