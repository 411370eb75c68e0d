"""The weights of Inception v3: from the file that the field uses, or random ones; in torch's layout and in each framework's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

import torch_ref.evaluation
from parity.files import InputError
from parity.messages import some
from weights_convert import plan, read_torch
from weights_convert.bits import sha256_file

PUBLISHED = "6726825d"
"""How the SHA-256 of the published file begins: its name ends so, as PyTorch's hub has it."""

State = Mapping[str, np.ndarray]
_COUNT = "num_batches_tracked"  # of a training; not in every file


def read(path: str | Path) -> State:
    """The state dict of a file such as pt_inception-2015-12-05-6726825d.pth; nothing in it is run.

    Raises ConversionError where it cannot be read, InputError where it is of another network.
    """
    held = read_torch(path)
    expected = _shapes()
    found = {name: getattr(value, "shape", None) for name, value in held.items()}
    problems = [f"{name}: expected {_said(expected.get(name))}, found {_said(found.get(name))}" for name in {**expected, **found}
                if found.get(name) != expected.get(name) and not (name not in found and name.endswith(_COUNT))]
    if problems:
        raise InputError(f"{path}: expected the state dict of FID's Inception v3, found another ({some(problems)}); the file is "
                         f"pt_inception-2015-12-05-{PUBLISHED}.pth of pytorch-fid (torchvision's Inception v3 is another network)")
    return {name: held[name] if name in held else np.zeros(shape, np.int64) for name, shape in expected.items()}


def is_published(path: str | Path) -> bool:
    """Whether it is the file that published numbers are made with."""
    return sha256_file(Path(path)).startswith(PUBLISHED)


def random(seed: int) -> State:
    """Weights at the scale that keeps values in their range from block to block; the same numbers with every version of numpy."""
    rng = np.random.RandomState(seed)
    return {name: _drawn(name, shape, rng) for name, shape in _shapes().items()}


def give(framework: str, network: Any, state: State) -> Any:
    """The network ("torch" or "paddle") with this state, in eval mode."""
    if framework == "torch":
        network.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    else:
        import paddle
        with torch.device("meta"):
            reference = torch_ref.evaluation.InceptionV3()
        carried = plan(reference, network).to_paddle(state)
        network.set_state_dict({name: paddle.to_tensor(value) for name, value in carried.items()})
    network.eval()
    return network


@cache
def _shapes() -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in torch_ref.evaluation.InceptionV3().state_dict().items()}


def _drawn(name: str, shape: tuple[int, ...], rng: np.random.RandomState) -> np.ndarray:
    kind = name.rpartition(".")[2]
    if kind == _COUNT:
        return np.zeros(shape, np.int64)
    if kind == "running_var":
        values = rng.uniform(0.5, 1.5, shape)
    elif len(shape) > 1:
        values = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    else:
        values = 0.1 * rng.standard_normal(shape) + (kind == "weight")
    return values.astype(np.float32)


def _said(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else str(shape)
