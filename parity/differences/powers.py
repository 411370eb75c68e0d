"""Power pooling: the norm of each window, which Paddle computes in float32, and what it makes of windows of zeros and cut ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, naive_sum

_POOLS = {F.lp_pool1d: 1, F.lp_pool2d: 2}


def _pool(x: np.ndarray, p: float, size: int, **settings: Any) -> Any:
    """(value, gradient of its sum) of Paddle's power pooling along the last axis; those of versions without one are right: None."""
    if not hasattr(paddle.nn.functional, "lp_pool1d"):
        return None, None
    leaf = paddle.to_tensor(x.reshape(1, 1, -1), stop_gradient=False)
    result = paddle.nn.functional.lp_pool1d(leaf, p, size, **settings)
    result.sum().backward()
    return result.numpy().reshape(-1), leaf.grad.numpy().reshape(-1)


def _sizes(pool: Callable, size: Any, stride: Any) -> tuple[list[int], list[int]]:
    """Sizes and strides of the windows, for two axes."""
    def pair(value: Any) -> list[int]:
        values = list(value) if isinstance(value, (tuple, list)) else [value] * _POOLS[pool]
        return [1] * (2 - len(values)) + values

    return pair(size), pair(size if stride in (None, ()) else stride)


def _windows(x: torch.Tensor, pool: Callable, size: Any, stride: Any) -> torch.Tensor:
    """(..., places, elements of a window) of the last axes of x; gradients come back through it."""
    sizes, strides = _sizes(pool, size, stride)
    flat = x.reshape(-1, 1, *(x.shape[-2:] if _POOLS[pool] == 2 else (1, x.shape[-1])))
    return F.unfold(flat, sizes, stride=strides).transpose(1, 2)


def _known(pool: Callable, x: torch.Tensor, p: Any) -> bool:
    return x.dim() == _POOLS[pool] + 2 and isinstance(p, (int, float)) and np.isfinite(p)


# --- powers in float32 -----------------------------------------------------------------------------------------------

def power_pool_error() -> float:
    """Relative error of the float64 2-norm of a window (1, 2): it is the root of 5."""
    value, _ = _pool(np.array([1.0, 2.0]), 2.0, 2)
    return 0.0 if value is None else abs(float(value[0]) / 5 ** 0.5 - 1)


def _composed_power_error() -> float:
    return abs(float(paddle.sqrt(paddle.square(paddle.to_tensor(np.array([1.0, 2.0]))).sum())) / 5 ** 0.5 - 1)


def _power(base: np.ndarray, exponent: np.float32) -> np.ndarray:
    """C's powf, which numpy has for single numbers; for arrays it has another, of other last bits."""
    single = np.ascontiguousarray(base, np.float32)
    return np.array([value ** exponent for value in single.ravel()], np.float32).reshape(single.shape).astype(np.float64)


class _InFloat32(torch.autograd.Function):
    """The p-norms of windows (..., elements); each power, of which there are two in it and one in its gradient, in float32."""

    @staticmethod
    def forward(ctx: Any, windows: torch.Tensor, p: float) -> torch.Tensor:
        ctx.p, ctx.windows = np.float32(p), windows.detach().cpu().numpy()
        with np.errstate(all="ignore"):
            sums = naive_sum(_power(ctx.windows, ctx.p), (-1,))
            ctx.norms = _power(sums, np.float32(1) / ctx.p)
        return torch.from_numpy(ctx.norms[..., 0]).to(windows)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        with np.errstate(all="ignore"):
            slopes = np.where(ctx.norms == 0, 0.0, _power(ctx.windows / ctx.norms, ctx.p - np.float32(1)))
        return gradient[..., None] * torch.from_numpy(slopes).to(gradient), None


def _powers(acted: Acted, pool: Any, x: torch.Tensor, norm_type: Any, kernel_size: Any, stride: Any = None,
            ceil_mode: bool = False) -> torch.Tensor:
    result = pool(x, norm_type, kernel_size, stride, ceil_mode)
    if x.dtype != torch.float64 or not _known(pool, x, norm_type):
        return result
    windows = _windows(x, pool, kernel_size, stride)
    if result.numel() != windows.shape[0] * windows.shape[1]:  # windows that are cut: another entry's
        return result
    acted.count += 1
    return _InFloat32.apply(windows, norm_type).reshape(result.shape)


POWERS = Difference(
    name="power_pool",
    title="Power pooling computes its powers in float32",
    where="paddle.nn.functional.lp_pool1d, lp_pool2d, and their layers, which 2.6.2 has not",
    size="float64: the result is a float32 number, 1.5e-8 off for a window (1, 2) and p = 2; so is the slope of each element in "
         "its gradient.",
    measure=power_pool_error,
    expected=(1e-9, 1e-6),
    control=_composed_power_error,
    correct="about 1e-16, as sqrt(sum(square(x))) gives",
    figures={"3.3.1": 1.47e-8, "3.0.0": 1.47e-8, "2.6.2": 0},
    effect="none in float32; in a float64 comparison it hides every smaller error behind it",
    avoided_by="no such pooling in the twin of U-GAT-IT; elsewhere (avg_pool2d(x ** p, k) * k * k) ** (1 / p)",
    is_bug=True,
    imitate=intercepting({_powers: tuple(_POOLS)}),
)


# --- windows of zeros ------------------------------------------------------------------------------------------------

def zero_window_gradient() -> float:
    """1 if the gradient of the 2-norm of a window of zeros is NaN."""
    _, gradient = _pool(np.zeros(2), 2.0, 2)
    return 0.0 if gradient is None else float(np.isnan(gradient).all())


def _almost_zero_window_gradient() -> float:
    _, gradient = _pool(np.array([0.0, 1e-3]), 2.0, 2)
    return 0.0 if gradient is None else float(np.isnan(gradient).any())


class _OfZeros(torch.autograd.Function):
    """0 for each window (..., elements), whose gradient is NaN in windows of zeros, and with p = 1 what comes back to them."""

    @staticmethod
    def forward(ctx: Any, windows: torch.Tensor, p: float) -> torch.Tensor:
        ctx.zero, ctx.p = (windows == 0).all(-1, keepdim=True).expand_as(windows), p
        return torch.zeros_like(windows[..., 0])

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        back = gradient[..., None] * (1.0 if ctx.p == 1 else float("nan"))
        return torch.where(ctx.zero, back, 0.0), None


def _zeros(acted: Acted, pool: Any, x: torch.Tensor, norm_type: Any, kernel_size: Any, stride: Any = None,
           ceil_mode: bool = False) -> torch.Tensor:
    result = pool(x, norm_type, kernel_size, stride, ceil_mode)
    if not x.requires_grad or not _known(pool, x, norm_type):
        return result
    windows = _windows(x, pool, kernel_size, stride)
    if result.numel() != windows.shape[0] * windows.shape[1] or not bool((windows == 0).all(-1).any()):
        return result
    acted.count += 1
    return result + _OfZeros.apply(windows, norm_type).reshape(result.shape)


ZEROS = Difference(
    name="power_pool_zero",
    title="The gradient of power pooling over a window of zeros is NaN",
    where="paddle.nn.functional.lp_pool1d, lp_pool2d, and their layers, in any dtype",
    size="each element is divided by the norm, 0 / 0; with p = 1, where the power of that is 1, what comes back is handed on.",
    measure=zero_window_gradient,
    expected=(1, 1),
    control=_almost_zero_window_gradient,
    correct="0: a gradient of zeros, as torch gives",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 0},
    effect="behind a ReLU one window in which nothing is left makes the whole network NaN at its next step",
    avoided_by="no such pooling in the twin of U-GAT-IT; elsewhere add a small number before it",
    is_bug=True,
    material=True,
    imitate=intercepting({_zeros: tuple(_POOLS)}),
)


# --- windows that are cut --------------------------------------------------------------------------------------------

def cut_window_norm() -> float:
    """The 1-norm of the last window of (1, 1, 1), of two, with ceil_mode: of one element."""
    value, _ = _pool(np.ones(3), 1.0, 2, ceil_mode=True)
    return 2.0 if value is None else float(value[-1])


def _whole_window_norm() -> float:
    value, _ = _pool(np.ones(4), 1.0, 2, ceil_mode=True)
    return 2.0 if value is None else float(value[-1])


def _cut(acted: Acted, pool: Any, x: torch.Tensor, norm_type: Any, kernel_size: Any, stride: Any = None,
         ceil_mode: bool = False) -> torch.Tensor:
    if not ceil_mode or not _known(pool, x, norm_type):
        return pool(x, norm_type, kernel_size, stride, ceil_mode)
    spatial = _POOLS[pool]
    sizes, strides = (values[-spatial:] for values in _sizes(pool, kernel_size, stride))
    lengths = x.shape[-spatial:]
    missing = [(-(-(length - size) // step)) * step + size - length
               for length, size, step in zip(lengths, sizes, strides, strict=True)]
    if not any(number > 0 for number in missing):
        return pool(x, norm_type, kernel_size, stride, ceil_mode)
    acted.count += 1
    whole = F.pad(x, [width for number in reversed(missing) for width in (0, max(number, 0))])
    return pool(whole, norm_type, kernel_size, stride, False)


CUT = Difference(
    name="power_pool_ceil",
    title="With ceil_mode torch's power pooling enlarges the last windows",
    where="paddle.nn.functional.lp_pool1d, lp_pool2d, and their layers, with ceil_mode, where the last windows reach over the end",
    size="Paddle takes the norm of the elements that are there; torch their average times the size of a whole window: with 1 of 2 "
         "elements and p = 1 Paddle's is half of torch's.",
    measure=cut_window_norm,
    expected=(0.99, 1.01),
    control=_whole_window_norm,
    correct="2, where the two are to be one computation",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 2},
    effect="the last row and column are weaker than in the network that was ported",
    avoided_by="no such pooling in the twin of U-GAT-IT; elsewhere (avg_pool2d(x ** p, k, ceil_mode=True) * k * k) ** (1 / p)",
    material=True,
    imitate=intercepting({_cut: tuple(_POOLS)}),
)

ENTRIES = (POWERS, ZEROS, CUT)
