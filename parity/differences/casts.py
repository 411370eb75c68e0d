"""Casts to half precision that cut off what does not fit, and do not round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
import torch

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting

_BITS = {"float16": 10, "bfloat16": 7, "float32": 23}  # behind the point


def _error_of_cast(dtype: str) -> float:
    """Error of 1 and three quarters of a unit in the last place, cast from float64, in such units."""
    unit = 2.0 ** -_BITS[dtype]
    number = paddle.to_tensor(np.array([1 + 0.75 * unit])).astype(dtype)
    return abs(float(number.astype("float64").numpy()[0]) - (1 + 0.75 * unit)) / unit


def float16_cast_error() -> float:
    """Of float16, in units in the last place; rounded to the nearest, it is 0.25."""
    return _error_of_cast("float16")


def bfloat16_cast_error() -> float:
    """Of bfloat16."""
    return _error_of_cast("bfloat16")


def _float32_cast_error() -> float:
    return _error_of_cast("float32")


class _Cast(torch.autograd.Function):
    """A cast by Paddle's own kernel; its backward casts the gradient back by that, too."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, result: torch.Tensor, half: torch.dtype, acted: Acted) -> torch.Tensor:
        ctx.dtype, ctx.half, ctx.acted = x.dtype, half, acted
        there = _paddles(x, result, half)
        acted.count += not torch.equal(there, result)
        return there

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        return _Cast.apply(gradient, gradient.to(ctx.dtype).detach(), ctx.half, ctx.acted), None, None, None


def _paddles(x: torch.Tensor, result: torch.Tensor, half: torch.dtype) -> torch.Tensor:
    """What Paddle makes of a cast, of which torch makes `result`. Only where it becomes `half` can they differ."""
    if result.dtype != half:
        return result.clone()
    wide = paddle.to_tensor(x.detach().cpu().numpy())
    there = wide.astype(str(half).removeprefix("torch.")).astype("float64").numpy()  # exact
    return torch.from_numpy(np.ascontiguousarray(there)).to(result).reshape(result.shape)


def _cutting(half: torch.dtype) -> Callable:
    def cast(acted: Acted, function: Callable, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result = function(x, *args, **kwargs)
        wide = (torch.float32, torch.float64)
        down, up = x.dtype in wide and result.dtype == half, x.dtype == half and result.dtype in wide
        return _Cast.apply(x, result.detach(), half, acted) if down or up else result

    return cast


_CASTS = (torch.Tensor.to, torch.Tensor.type, torch.Tensor.type_as, torch.Tensor.half, torch.Tensor.bfloat16, torch.Tensor.float,
          torch.Tensor.double)


_EFFECT = "numbers in half precision are too small by half a unit in the last place on average, all in one direction"

FLOAT16_CAST = Difference(
    name="float16_cast",
    title="A cast to float16 cuts off what does not fit",
    where="Tensor.astype and paddle.cast to float16, and the gradient of a cast from it; measured on the CPU",
    size="2.6.2 and 3.0.0: 1 + 0.75 units in the last place becomes 1, not the next number; what lies between 65504 and 65520 "
         "becomes infinite, and what is less than the smallest number 0. 3.3.1 rounds.",
    measure=float16_cast_error,
    expected=(0.7, 0.8),
    control=_float32_cast_error,
    correct="0.25 units in the last place: the nearest number",
    figures={"3.3.1": 0.25, "3.0.0": 0.75, "2.6.2": 0.75},
    effect=_EFFECT,
    avoided_by="no half precision in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_cutting(torch.float16): _CASTS}),
)

BFLOAT16_CAST = Difference(
    name="bfloat16_cast",
    title="A cast to bfloat16 cuts off what does not fit",
    where="Tensor.astype and paddle.cast to bfloat16, and the gradient of a cast from it; measured on the CPU",
    size="2.6.2: 1 + 0.75 units in the last place becomes 1, not the next number. 3.0.0 and 3.3.1 round.",
    measure=bfloat16_cast_error,
    expected=(0.7, 0.8),
    control=_float32_cast_error,
    correct="0.25 units in the last place: the nearest number",
    figures={"3.3.1": 0.25, "3.0.0": 0.25, "2.6.2": 0.75},
    effect=_EFFECT,
    avoided_by="no half precision in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_cutting(torch.bfloat16): _CASTS}),
)

ENTRIES = (FLOAT16_CAST, BFLOAT16_CAST)
