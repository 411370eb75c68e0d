"""Interpolation: where its samples lie.

It is linear, one axis at a time, so an axis is a matrix: what each result takes of each value. How Paddle rounds the places
depends on how it was compiled (3.3.1 fuses multiplication and subtraction along the height, and not along the width), so the
imitation asks the installed Paddle for its matrices, and takes them where they differ in the way that the entry is about.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting

_MODES = {"linear": (1, "NCW"), "bilinear": (2, "NCHW"), "bicubic": (2, "NCHW"), "trilinear": (3, "NCDHW")}


class _Axis(NamedTuple):
    """One axis of an interpolation. number: which of the spatial ones; scale: None where sizes were given."""

    mode: str
    aligned: bool
    number: int
    length: int
    result: int
    scale: float | None

    def settings(self, ones: int) -> dict[str, Any]:
        """Arguments that leave the other axes at length 1."""
        given, unit = ("size", 1) if self.scale is None else ("scale_factor", 1.0)
        wanted = self.result if self.scale is None else float(self.scale)
        return {given: [wanted if axis == self.number else unit for axis in range(ones)], "mode": self.mode,
                "align_corners": self.aligned}

    def lone(self, rows: np.ndarray, ones: int) -> np.ndarray:
        """Rows of values along this axis, one of a batch each."""
        return rows.reshape(len(rows), 1, *(rows.shape[1] if axis == self.number else 1 for axis in range(ones)))


@cache
def _by_paddle(axis: _Axis) -> tuple[np.ndarray, np.ndarray]:
    """What Paddle's results take of the values, and what its gradient does (bicubic rounds differently there)."""
    ones, layout = _MODES[axis.mode]
    settings = {**axis.settings(ones), "data_format": layout}
    each = paddle.to_tensor(axis.lone(np.eye(axis.length), ones))
    forward = paddle.nn.functional.interpolate(each, **settings).numpy().reshape(axis.length, axis.result).T
    values = paddle.to_tensor(axis.lone(np.zeros((axis.result, axis.length)), ones), stop_gradient=False)
    results = paddle.nn.functional.interpolate(values, **settings)
    backward, = paddle.grad(results, values, paddle.to_tensor(axis.lone(np.eye(axis.result), ones)))
    return forward, backward.numpy().reshape(axis.result, axis.length)


@cache
def _by_torch(axis: _Axis) -> np.ndarray:
    ones = _MODES[axis.mode][0]
    with torch._C.DisableTorchFunction():
        results = F.interpolate(torch.from_numpy(axis.lone(np.eye(axis.length), ones)), **axis.settings(ones))
    return results.numpy().reshape(axis.length, axis.result).T


def _apart(axis: _Axis) -> float:
    return float(np.abs(_by_paddle(axis)[0] - _by_torch(axis)).max())


class _Along(torch.autograd.Function):
    """A matrix times an axis, and another one for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, dim: int, forward: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
        ctx.dim, ctx.matrix = dim, backward
        return (x.movedim(dim, -1) @ forward.t()).movedim(-1, dim)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        return (gradient.movedim(ctx.dim, -1) @ ctx.matrix).movedim(-1, ctx.dim), None, None, None


def _interpolated(acted: Acted, x: torch.Tensor, axes: list[_Axis]) -> torch.Tensor:
    acted.count += 1
    for axis in axes:
        x = _Along.apply(x, axis.number + 2, *(torch.from_numpy(matrix.copy()).to(x) for matrix in _by_paddle(axis)))
    return x


def _axes(x: torch.Tensor, result: torch.Tensor, scale_factor: Any, mode: str, align_corners: bool | None) -> list[_Axis]:
    """The axes of an interpolation that mixes neighbours; none of another. scale_factor: None where the sizes tell the places, as
    they do where torch is to recompute it."""
    if mode not in _MODES:
        return []
    scales = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * (x.dim() - 2)
    return [_Axis(mode, bool(align_corners), number, length, size, scale)
            for number, (length, size, scale) in enumerate(zip(x.shape[2:], result.shape[2:], scales, strict=True))]


def _samples_the_corner(axis: _Axis) -> bool:
    return axis.result == 1 < axis.length and _apart(axis) > NEAR


NEAR = 1e-5  # weights that differ by less differ by float32's rounding of a place


def corner_of_an_interpolation() -> float:
    """The bilinear interpolation of [[1, 2], [3, 4]] to one value: it should be the middle, 2.5."""
    return paddle.nn.functional.interpolate(paddle.to_tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), size=[1, 1], mode="bilinear").item()


def _average_of_an_interpolation() -> float:
    return paddle.nn.functional.interpolate(paddle.to_tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), size=[1, 1], mode="area").item()


def _to_one(acted: Acted, interpolate: Any, input: torch.Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
            align_corners: bool | None = None, recompute_scale_factor: bool | None = None, *rest: Any,
            **kwargs: Any) -> torch.Tensor:
    result = interpolate(input, size, scale_factor, mode, align_corners, recompute_scale_factor, *rest, **kwargs)
    axes = _axes(input, result, None if recompute_scale_factor else scale_factor, mode, align_corners)
    return _interpolated(acted, input, axes) if any(map(_samples_the_corner, axes)) else result


ONE_SAMPLE = Difference(
    name="interpolate_to_one",
    title="An interpolation to size 1 samples the corner",
    where="paddle.nn.functional.interpolate, upsample, paddle.nn.Upsample: bilinear and bicubic with align_corners=False, where an "
          "axis of the result has the length 1 (linear and trilinear too up to 3.0.0)",
    size="[[1, 2], [3, 4]] to 1 x 1 gives 1, the first value, in place of the middle: the distance of samples is set to 0 for a "
         "single one, with align_corners or without.",
    measure=corner_of_an_interpolation,
    expected=(1, 1),
    control=_average_of_an_interpolation,
    correct="2.5, the middle, as torch gives (and Paddle with mode='area')",
    figures={"3.3.1": 1.0, "3.0.0": 1.0, "2.6.2": 1.0},
    effect="the smallest map of a pyramid is one pixel of its corner",
    avoided_by="no such operation in the twin of U-GAT-IT; elsewhere adaptive_avg_pool2d or mode='area'",
    is_bug=True,
    material=True,
    imitate=intercepting({_to_one: (F.interpolate,)}),
)


# --- where samples lie -----------------------------------------------------------------------------------------------

def interpolated_position_error() -> float:
    """Error of a float64 interpolation of 0, 1, 2, 3, 4 to seven values: the second one is 4 / 6 with align_corners."""
    ramp = paddle.to_tensor(np.arange(5.0).reshape(1, 1, 1, 5))
    found = paddle.nn.functional.interpolate(ramp, size=[1, 7], mode="bilinear", align_corners=True).numpy()
    return np.abs(found[0, 0, 0] - np.arange(7) * 4 / 6).max()


def _doubled_position_error() -> float:
    ramp = paddle.to_tensor(np.arange(5.0).reshape(1, 1, 1, 5))
    found = paddle.nn.functional.interpolate(ramp, size=[1, 9], mode="bilinear", align_corners=True).numpy()
    return np.abs(found[0, 0, 0] - np.arange(9) / 2).max()


def _in_float32(acted: Acted, interpolate: Any, input: torch.Tensor, size: Any = None, scale_factor: Any = None,
                mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
                *rest: Any, **kwargs: Any) -> torch.Tensor:
    result = interpolate(input, size, scale_factor, mode, align_corners, recompute_scale_factor, *rest, **kwargs)
    axes = _axes(input, result, None if recompute_scale_factor else scale_factor, mode, align_corners)
    if input.dtype != torch.float64 or any(map(_samples_the_corner, axes)):
        return result
    return _interpolated(acted, input, axes) if any(ROUNDING < _apart(axis) < NEAR for axis in axes) else result


ROUNDING = 1e-13  # of a weight in float64

POSITIONS = Difference(
    name="interpolate_positions",
    title="Interpolation computes its samples' places in float32",
    where="paddle.nn.functional.interpolate, upsample, paddle.nn.Upsample: linear, bilinear, bicubic and trilinear, where the "
          "ratio of the sizes is no binary fraction",
    size="float64: 0..4 spread over seven values is 1.6e-7 off; exact for factors of 2.",
    measure=interpolated_position_error,
    expected=(1e-9, 1e-5),
    control=_doubled_position_error,
    correct="about 1e-16",
    figures={"3.3.1": 1.59e-7, "3.0.0": 1.59e-7, "2.6.2": 1.59e-7},
    effect="none in float32; in a float64 comparison everything behind a resize is 1e-7 off",
    avoided_by="no such operation in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_in_float32: (F.interpolate,)}),
)

ENTRIES = (ONE_SAMPLE, POSITIONS)
