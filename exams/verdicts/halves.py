"""Mixed precision as a GPU would have it, by hand, for the labels: on the CPU Paddle has neither autocast nor a scaler.

Products in a region are rounded to the half precision; softmax, norms and losses are where they are given nothing but such products
outside of one, or in a region of level O2. A scaler multiplies, divides and counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import paddle
import torch

FULL = ("softmax", "cross_entropy", "layer_norm", "mse_loss")


class Autocast:
    """`torch.autocast` and `paddle.amp.auto_cast`."""

    regions: list[tuple[str, str]] = []

    def __init__(self, *device: str, dtype: Any = "float16", level: str = "O1", enable: bool = True, enabled: bool = True) -> None:
        self._region = (str(dtype).rpartition(".")[2], level) if enable and enabled else ("", "")

    def __enter__(self) -> None:
        self.regions.append(self._region)

    def __exit__(self, *raised: Any) -> None:
        self.regions.pop()


class Scaler:
    """`torch.amp.GradScaler` and `paddle.amp.GradScaler`, whose gradients are finite."""

    def __init__(self, *device: str, init_scale: float = 65536.0, init_loss_scaling: float | None = None,
                 growth_interval: int = 2000, incr_every_n_steps: int | None = None) -> None:
        self._scale = init_loss_scaling or init_scale
        self._interval, self._count, self._unscaled = incr_every_n_steps or growth_interval, 0, False

    def scale(self, loss: Any) -> Any:
        return loss * self._scale

    def unscale_(self, optimizer: Any) -> None:
        held = (optimizer.param_groups[0]["params"] if isinstance(optimizer, torch.optim.Optimizer) else optimizer._parameter_list)
        for parameter in held:
            parameter.grad = parameter.grad / self._scale
        self._unscaled = True

    def step(self, optimizer: Any) -> None:
        if not self._unscaled:
            self.unscale_(optimizer)
        optimizer.step()
        self._unscaled = False

    def update(self) -> None:
        self._count += 1
        if self._count == self._interval:
            self._scale, self._count = 2 * self._scale, 0


@contextlib.contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """While active, both frameworks' mixed precision is this file's."""
    replaced = [(torch, "autocast", Autocast), (paddle.amp, "auto_cast", Autocast), (torch.amp, "GradScaler", Scaler),
                (paddle.amp, "GradScaler", Scaler)]
    for module in (torch, paddle):
        functional = module.nn.functional
        replaced += [(module, "matmul", _product(module.matmul)), (functional, "linear", _product(functional.linear))]
        replaced += [(functional, name, _full(getattr(functional, name))) for name in FULL]
    astype = paddle.Tensor.astype
    replaced.append((paddle.Tensor, "astype", lambda x, dtype: astype(x.clone(), dtype)))  # a cast to the lane's is in full
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _product(function: Callable) -> Callable:
    def product(*args: Any, **kwargs: Any) -> Any:
        dtype = Autocast.regions[-1][0] if Autocast.regions else ""
        return _rounded(function(*args, **kwargs), dtype)

    return product


def _full(function: Callable) -> Callable:
    def full(x: Any, *args: Any, **kwargs: Any) -> Any:
        dtype, level = Autocast.regions[-1] if Autocast.regions else ("", "")
        half = dtype if level == "O2" else "" if dtype else getattr(x, "half_by_hand", "")
        return _rounded(function(x, *args, **kwargs), half)

    return full


def _rounded(x: Any, dtype: str) -> Any:
    """To that precision, its gradient as it was; marked."""
    if not dtype:
        return x
    array = x.detach().numpy()
    moved = array.astype(getattr(ml_dtypes, dtype, np.float16)).astype(array.dtype) - array
    result = x + (torch.as_tensor(moved) if isinstance(x, torch.Tensor) else paddle.to_tensor(moved))
    result.half_by_hand = dtype
    return result
