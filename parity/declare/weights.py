"""The weights that both sides of a user's pair start from, where the user gives none: the reference's own, constants moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.frameworks import FRAMEWORKS
from parity.numbers.arrays import is_float
from parity.numbers.noise import generator


@dataclass(frozen=True)
class Built:
    """What a torch module was built with. arrays: entry -> a copy, float32 (integers as they are), non-persistent buffers too;
    trained: the parameters; first: entry -> the first name of its tensor, which may have several."""

    arrays: Mapping[str, np.ndarray]
    trained: frozenset[str]
    first: Mapping[str, str]

    @classmethod
    def of(cls, model: Any) -> Built:
        entries = FRAMEWORKS[0].entries(model)
        names: dict[int, str] = {}
        first = {name: names.setdefault(id(tensor), name) for name, tensor in entries.items()}
        return cls({name: _copied(tensor) for name, tensor in entries.items()},
                   frozenset(name for name, _ in model.named_parameters(remove_duplicate=False)), first)

    def weights(self, seed: int) -> dict[str, np.ndarray]:
        """The arrays, of which constants (a bias of zeros, a scale of ones) are moved, so that one that goes missing in the twin
        is missed. Running variances stay positive."""
        return {name: _moved(self.first[name], array, name in self.trained, seed) for name, array in self.arrays.items()}


def weights_of(model: Any, seed: int) -> dict[str, np.ndarray]:
    """`Built.weights` of a torch module."""
    return Built.of(model).weights(seed)


def _copied(tensor: Any) -> np.ndarray:
    array = FRAMEWORKS[0].array(tensor, copy=True)
    return array.astype(np.float32) if is_float(array.dtype) else array


def _moved(name: str, array: np.ndarray, trained: bool, seed: int) -> np.ndarray:
    statistic = name.rpartition(".")[2] in ("running_mean", "running_var")
    if array.dtype.kind != "f" or not (trained or statistic) or not array.size or np.ptp(array):
        return array
    noise = generator(seed, "weights", name).standard_normal(array.shape)
    return np.asarray(array + 0.1 * np.clip(noise, -3, 3), np.float32)
