"""One forward of both networks on one input, each from its own file: is the converted one as accurate, in float32?

The quick form of the ladder's float32 lane, for weights of any size: outputs only, eval mode, no gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
import torch

from parity.files import InputError
from parity.frameworks import Framework, PaddleFramework, TorchFramework
from parity.numbers.noise import ACCURACY, DRAWS, move


@dataclass(frozen=True)
class Forward:
    """error: of the twin, largest over its outputs, in multiples of what the reference's own rounding does to that output."""

    network: str
    outputs: int
    error: float

    @property
    def same(self) -> bool:
        return self.error <= ACCURACY


def check(network: str, reference: Callable[[], Any], twin: Callable[[], Any], state: Mapping[str, np.ndarray],
          twin_state: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], *, draws: int = DRAWS) -> Forward:
    """The twin's error against the float64 truth, beside the reference's own and those of its draws moved by one ulp.

    state, twin_state: of the two files, each in its own layout. inputs: positional, in order. Raises InputError where there
    is nothing to compare: no outputs, or NaN on the reference's side.
    """
    ours, theirs = TorchFramework(), PaddleFramework()
    model, layer = reference(), twin()
    state, inputs = _cast(state, "float32"), _cast(inputs, "float32")
    truth = _run(ours, model, _cast(state, "float64"), _cast(inputs, "float64"), "float64")
    if not truth or any(not np.isfinite(array).all() for array in truth):
        found = "NaN or infinity" if truth else "no output"
        raise InputError(f"{network}: expected numbers of the reference network, found {found}; "
                         "a forward cannot tell whether the two agree (--no-forward leaves it out)")
    floors = [np.finfo(np.float32).eps * float(np.abs(array).max(initial=0)) for array in truth]
    for draw in (None, *range(draws)):
        moved = (state, inputs) if draw is None else (move(state, draw, "state"), move(inputs, draw, "input"))
        found = _run(ours, model, *moved, "float32")
        floors = [max(floor, _distance(a, b)) for floor, a, b in zip(floors, found, truth, strict=True)]
    found = _run(theirs, layer, _cast(twin_state, "float32"), inputs, "float32")
    if [array.shape for array in found] != [array.shape for array in truth]:
        return Forward(network, len(truth), float("inf"))
    errors = [_distance(a, b) for a, b in zip(found, truth, strict=True)]
    return Forward(network, len(truth), max(error / floor if floor else float(error > 0) and float("inf")
                                            for error, floor in zip(errors, floors, strict=True)))


def _run(framework: Framework, model: Any, state: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray],
         dtype: str) -> list[np.ndarray]:
    framework.prepare(model, dtype=dtype, training=False, device="cpu")
    framework.load_state(model, state)
    with torch.no_grad(), paddle.no_grad():
        outputs = model(*(framework.tensor(array) for array in inputs.values()))
    return [framework.array(tensor, copy=True).astype(np.float64) for _, tensor in framework.tensors_in(outputs)]


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """NaN on one side is infinitely far."""
    return float(np.nan_to_num(np.abs(a - b), nan=np.inf).max(initial=0))


def _cast(values: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    return {name: array.astype(dtype, copy=False) if array.dtype.name.endswith(("float16", "float32", "float64")) else array
            for name, array in values.items()}
