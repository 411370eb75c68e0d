"""One forward of both networks on one input, each from its own file: is the converted one as accurate, in float32?

The quick form of the ladder's float32 lane, for weights of any size: outputs only, eval mode, no gradients.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import torch

from parity.conversion.networks import Networks
from parity.declare.pair import in_order
from parity.files import InputError, write
from parity.frameworks import Framework, PaddleFramework, TorchFramework
from parity.numbers.noise import ACCURACY, DRAWS, move
from weights_convert import read_paddle, torch_networks

Arrange = Callable[[int, Sequence[Any]], tuple[tuple, dict]]


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
          twin_state: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], arrange: Arrange = in_order, *,
          leaves_out: Callable[[str], bool] = lambda name: False, draws: int = DRAWS) -> Forward:
    """The twin's error against the float64 truth, beside the reference's own and those of its draws moved by one ulp.

    state, twin_state: of the two files, each in its own layout. arrange: side and inputs as tensors -> its arguments.
    leaves_out: tensors that stay as they are built, whatever the files hold. Raises InputError where there is nothing to
    compare: no outputs, or NaN on the reference's side.
    """
    ours, theirs = TorchFramework(), PaddleFramework()
    model, layer = reference(), twin()
    state, twin_state = ({name: array for name, array in held.items() if not leaves_out(name)}
                         | {name: array for name, array in framework.state(built).items() if leaves_out(name)}
                         for framework, built, held in ((ours, model, state), (theirs, layer, twin_state)))
    state, inputs = _cast(state, "float32"), _cast(inputs, "float32")

    def run_reference(state: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], dtype: str) -> list[np.ndarray]:
        return _run(ours, model, state, inputs, dtype, lambda tensors: arrange(0, tensors))

    truth = run_reference(_cast(state, "float64"), _cast(inputs, "float64"), "float64")
    if not truth or any(not np.isfinite(array).all() for array in truth):
        found = "NaN or infinity" if truth else "no output"
        raise InputError(f"{network}: expected numbers of the reference network, found {found}; "
                         "a forward cannot tell whether the two agree (--no-forward leaves it out)")
    floors = [float(np.finfo(np.float32).eps) * float(np.abs(array).max(initial=0)) for array in truth]
    for draw in (None, *range(draws)):
        moved = (state, inputs) if draw is None else (move(state, draw, "state"), move(inputs, draw, "input", inwards=True))
        found = run_reference(*moved, "float32")
        floors = [max(floor, _distance(a, b)) for floor, a, b in zip(floors, found, truth, strict=True)]
    found = _run(theirs, layer, _cast(twin_state, "float32"), inputs, "float32", lambda tensors: arrange(1, tensors))
    if [array.shape for array in found] != [array.shape for array in truth]:
        return Forward(network, len(truth), float("inf"))
    errors = [_distance(a, b) for a, b in zip(found, truth, strict=True)]
    return Forward(network, len(truth), max(error / floor if floor else float(error > 0) and float("inf")
                                            for error, floor in zip(errors, floors, strict=True)))


def forward(receipt: dict, path: Path, known: Networks, progress: Callable[[str], None] = lambda name: None,
            ) -> list[Forward]:
    """One forward of each network, from the two files that the receipt names. The result is written into the receipt.

    Raises ConversionError, InputError.
    """
    written = [path.parent / file["path"] for file in receipt["files"]]
    sources = [Path(file["path"]) for file in receipt["source"]]
    chosen = receipt["selection"]
    if receipt["to"] == "paddle":
        source = sources[0] if len(sources) == 1 else sources[0].parent
        states, twins = torch_networks(source, chosen["prefix"], chosen["network"]), written
    else:
        states, twins = torch_networks(written[0], network=None if len(sources) > 1 else sources[0].stem), sources
    sizes = known.as_in(receipt).infer(True)(states)
    results = []
    for twin in twins:
        name = twin.stem
        progress(name)
        results.append(check(name, lambda name=name: known.reference(name, sizes[name]),
                             lambda name=name: known.twin(name, sizes[name]),
                             states[name], read_paddle(twin), known.inputs(name, sizes[name]),
                             lambda side, tensors, name=name: known.arrange(name, side, tensors), leaves_out=known.leaves_out))
    receipt["forward"] = [{"network": result.network, "outputs": result.outputs, "same": result.same,
                           "error": result.error if math.isfinite(result.error) else "infinite"} for result in results]
    write(path, json.dumps(receipt, indent=1) + "\n")
    return results


def _run(framework: Framework, model: Any, state: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray],
         dtype: str, arrange: Callable[[Sequence[Any]], tuple[tuple, dict]]) -> list[np.ndarray]:
    framework.prepare(model, dtype=dtype, training=False, device="cpu")
    framework.load_state(model, state)
    with torch.no_grad(), paddle.no_grad():
        positional, keyword = arrange([framework.tensor(array) for array in inputs.values()])
        outputs = model(*positional, **keyword)
    return [framework.array(tensor, copy=True).astype(np.float64) for _, tensor in framework.tensors_in(outputs)]


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """NaN on one side is infinitely far."""
    return float(np.nan_to_num(np.abs(a - b), nan=np.inf).max(initial=0))


def _cast(values: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    return {name: array.astype(dtype, copy=False) if array.dtype.name.endswith(("float16", "float32", "float64")) else array
            for name, array in values.items()}
