"""The weights that both sides of a user's pair start from, where the user gives none: the reference's own, constants moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.noise import generator


def weights_of(model: Any, seed: int) -> dict[str, np.ndarray]:
    """Of a torch module: entry -> array, float32 (integers as they are): what it was built with, of which constants (a bias of
    zeros, a scale of ones) are moved, so that one that goes missing in the twin is missed."""
    trained = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    return {name: _moved(name, value.detach().cpu().numpy(), name in trained, seed) for name, value in
            model.state_dict().items() if hasattr(value, "detach")}


def _moved(name: str, array: np.ndarray, trained: bool, seed: int) -> np.ndarray:
    """A copy; what is constant moved away from it. Running variances stay positive."""
    array = array.astype(np.float32) if array.dtype.kind == "f" else array.copy()
    statistic = name.rpartition(".")[2] in ("running_mean", "running_var")
    if array.dtype.kind != "f" or not (trained or statistic) or not array.size or np.ptp(array):
        return array
    noise = generator(seed, "weights", name).standard_normal(array.shape)
    return (array + 0.1 * np.clip(noise, -3, 3)).astype(np.float32)
