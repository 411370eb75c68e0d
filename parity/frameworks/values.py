"""Whatever a program hands out (a sample, a batch, a metric's result), as arrays to compare."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.frameworks.base import FrameworkError
from parity.frameworks.nests import Unknown, as_array, leaves
from parity.frameworks.select import of_tensor


def arrays_of(value: Any) -> tuple[dict[str, np.ndarray | None], dict[str, str]]:
    """(access path -> a copy as an array, access path -> the type of what is none): of tensors of either framework, arrays,
    pictures, numbers, texts, nested."""
    arrays: dict[str, np.ndarray | None] = {}
    unknown: dict[str, str] = {}
    for path, leaf in leaves(value, is_tensor):
        try:
            arrays[path] = _array(leaf)
        except Unknown as error:
            unknown[path] = str(error)
    return arrays, unknown


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of a framework that has been imported."""
    try:
        of_tensor(value)
    except FrameworkError:
        return False
    return True


def _array(leaf: Any) -> np.ndarray | None:
    if is_tensor(leaf):
        return of_tensor(leaf).array(leaf, copy=True)
    if not isinstance(leaf, (np.ndarray, np.generic)) and hasattr(leaf, "__array_interface__"):  # a picture of Pillow's
        return np.asarray(leaf).copy()
    array = as_array(leaf)
    return array if array is None else array.copy()
