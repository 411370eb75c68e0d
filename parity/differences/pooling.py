"""Pooling: the float32 factor of the averages' gradient, and the windows that Paddle counts otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, with_gradient_times

_AVERAGES = {F.avg_pool1d: 1, F.avg_pool2d: 2, F.avg_pool3d: 3}
_ADAPTIVE_AVERAGES = {F.adaptive_avg_pool1d: 1, F.adaptive_avg_pool2d: 2, F.adaptive_avg_pool3d: 3}
_MAXIMA = {pool: spatial for spatial in (1, 2, 3)
           for pool in (getattr(F, f"max_pool{spatial}d"), getattr(torch, f"max_pool{spatial}d"))}


class _Windows(NamedTuple):
    """The windows of a pooling: sizes, strides and padding for each of the spatial axes."""

    sizes: Sequence[int]
    strides: Sequence[int]
    padding: Sequence[int]

    @classmethod
    def of(cls, spatial: int, kernel_size: Any, stride: Any, padding: Any) -> _Windows:
        strides = kernel_size if stride in (None, ()) else stride
        return cls(*(_for_each(value, spatial) for value in (kernel_size, strides, padding)))

    def counts(self, lengths: Sequence[int], results: Sequence[int], with_padding: bool) -> torch.Tensor:
        """How many values each window averages, of shape `results`: those within the input, or those within its padding.

        As Paddle counts: of a window that starts behind them, there may be less than none.
        """
        count = torch.ones((), dtype=torch.float64)
        for axis, (length, result) in enumerate(zip(lengths, results, strict=True)):
            first = torch.arange(result) * self.strides[axis] - self.padding[axis]
            last = (first + self.sizes[axis]).clamp(max=length + self.padding[axis])
            within = last - first if with_padding else last.clamp(max=length) - first.clamp(min=0)
            count = count[..., None] * within.double()
        return count

    def rounded_up(self, lengths: Sequence[int]) -> list[int]:
        """How many windows Paddle makes of each axis with ceil_mode."""
        return [-(-(length + 2 * pad - size) // stride) + 1
                for length, size, stride, pad in zip(lengths, self.sizes, self.strides, self.padding, strict=True)]


def _for_each(value: Any, spatial: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * spatial if len(values) == 1 else values


# --- the gradient of an average --------------------------------------------------------------------------------------

def average_pool_gradient_error() -> float:
    """Relative error of the float64 gradient of an average over 5 x 7 values (1/35)."""
    x = paddle.to_tensor(np.ones((1, 1, 5, 7)), stop_gradient=False)
    paddle.nn.functional.adaptive_avg_pool2d(x, 1).sum().backward()
    return np.abs(x.grad.numpy() * 35 - 1).max()


def _mean_gradient_error() -> float:
    x = paddle.to_tensor(np.ones((1, 1, 5, 7)), stop_gradient=False)
    x.mean([2, 3]).sum().backward()
    return np.abs(x.grad.numpy() * 35 - 1).max()


def _adaptive_average(acted: Acted, pool: Any, x: torch.Tensor, output_size: Any, **kwargs: Any) -> torch.Tensor:
    return _of_bins(acted, pool(x, output_size, **kwargs), x, _ADAPTIVE_AVERAGES[pool])


def _area(acted: Acted, interpolate: Any, x: torch.Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
          *args: Any, **kwargs: Any) -> torch.Tensor:
    """An interpolation by areas is an adaptive average, on both sides."""
    result = interpolate(x, size, scale_factor, mode, *args, **kwargs)
    return _of_bins(acted, result, x, x.dim() - 2) if mode == "area" else result


def _local_response(acted: Acted, norm: Any, x: torch.Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75,
                    k: float = 1.0) -> torch.Tensor:
    """It divides by an average pooling over channels, on both sides."""
    factor = _factor(torch.tensor([float(size)], dtype=torch.float64)).to(x.device)
    if x.dtype != torch.float64 or not x.requires_grad or bool(factor == 1):
        return norm(x, size, alpha, beta, k)
    before = [(0, 0)] * (x.dim() - 2) + [(size // 2, (size - 1) // 2)]
    squares = F.pad(x * x, [width for pair in before for width in pair])
    average = with_gradient_times(acted, squares.unfold(1, size, 1).mean(-1), factor)
    return x / (average * alpha + k) ** beta


def _of_bins(acted: Acted, result: torch.Tensor, x: torch.Tensor, spatial: int) -> torch.Tensor:
    if x.dtype != torch.float64:
        return result
    count = torch.ones((), dtype=torch.float64)
    for size, bins in zip(x.shape[-spatial:], result.shape[-spatial:], strict=True):
        width = [-(-(i + 1) * size // bins) - i * size // bins for i in range(bins)]
        count = count[..., None] * torch.tensor(width, dtype=torch.float64)
    return with_gradient_times(acted, result, _factor(count).to(x.device))


def _average(acted: Acted, pool: Any, x: torch.Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
             ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> torch.Tensor:
    divisor = () if divisor_override is None else (divisor_override,)  # in one dimension there is no such argument
    result = pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, *divisor)
    if x.dtype != torch.float64:
        return result
    spatial = _AVERAGES[pool]
    windows = _Windows.of(spatial, kernel_size, stride, padding)
    count = windows.counts(x.shape[-spatial:], result.shape[-spatial:], count_include_pad)
    return with_gradient_times(acted, result, _factor(count.clamp(min=1)).to(x.device))


def _factor(count: torch.Tensor) -> torch.Tensor:
    """float32(1 / count) * count: what rounding the factor does to the gradient. A constant, which no noise draw moves."""
    counts = count.cpu().numpy()
    return torch.from_numpy((1 / counts).astype(np.float32) * counts)


POOL_GRADIENT = Difference(
    name="pool_gradient",
    title="The gradient of average pooling uses a float32 1/(H*W)",
    where="paddle.nn.functional.avg_pool1d, 2d, 3d, adaptive_avg_pool1d, 2d, 3d, interpolate(mode='area'), local_response_norm, "
          "and their layers; the backward only",
    size="float64: the gradient is 5.6e-9 off at 5 x 7, 7.5e-9 at 3 x 3; exact where H*W is a power of 2. H*W is the number of "
         "values in the window: with padding left out (exclusive) or a last window that overlaps the border (ceil_mode), each "
         "window has its own. The forward is right.",
    measure=average_pool_gradient_error,
    expected=(1e-10, 6e-8),
    control=_mean_gradient_error,
    correct="0 or 1e-16, as paddle.mean over the axes gives",
    figures={"3.3.1": 5.6e-9, "3.0.0": 5.6e-9, "2.6.2": 5.6e-9},
    effect="none in float32; in a float64 comparison all gradients below the pooling are 1e-8 off (at 256 px it "
           "hides: H*W = 4096)",
    avoided_by="`mean` over the two axes",
    is_bug=True,
    imitate=intercepting({_adaptive_average: tuple(_ADAPTIVE_AVERAGES), _average: tuple(_AVERAGES), _area: (F.interpolate,),
                          _local_response: (F.local_response_norm,)}),
)


# --- ceil_mode -------------------------------------------------------------------------------------------------------

def windows_with_ceil_mode() -> float:
    """How many windows of 2 with stride 3 a ceil_mode pooling makes of 9 values: torch's last one would start behind them."""
    return float(paddle.nn.functional.max_pool2d(paddle.ones([1, 1, 9, 9]), 2, 3, ceil_mode=True).shape[-1])


def _windows_without_ceil_mode() -> float:
    return float(paddle.nn.functional.max_pool2d(paddle.ones([1, 1, 9, 9]), 2, 3).shape[-1])


def _average_with_empty_windows(acted: Acted, pool: Any, x: torch.Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                                ceil_mode: bool = False, count_include_pad: bool = True, *rest: Any, **kwargs: Any) -> torch.Tensor:
    result = pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, *rest, **kwargs)
    windows = _Windows.of(_AVERAGES[pool], kernel_size, stride, padding)
    widened = _widened(acted, x, result, windows, 0.0) if ceil_mode else result
    if widened is result:
        return result
    lengths, results = (tensor.shape[-len(windows.sizes):] for tensor in (x, widened))
    return widened + (0.0 / windows.counts(lengths, results, count_include_pad)).to(widened)


def _maximum_with_empty_windows(acted: Acted, pool: Any, x: torch.Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                                dilation: Any = 1, ceil_mode: bool = False, **kwargs: Any) -> torch.Tensor:
    result = pool(x, kernel_size, stride, padding, dilation, ceil_mode, **kwargs)
    windows = _Windows.of(_MAXIMA[pool], kernel_size, stride, padding)
    return _widened(acted, x, result, windows, _LOWEST) if ceil_mode and isinstance(result, torch.Tensor) else result


def _widened(acted: Acted, x: torch.Tensor, result: torch.Tensor, windows: _Windows, empty: float) -> torch.Tensor:
    """The result with the windows that Paddle keeps though nothing of the input is in them."""
    spatial = len(windows.sizes)
    more = [there - here for there, here in zip(windows.rounded_up(x.shape[-spatial:]), result.shape[-spatial:], strict=True)]
    if not any(extra > 0 for extra in more):
        return result
    acted.count += 1
    return F.pad(result, [width for extra in reversed(more) for width in (0, max(extra, 0))], value=empty)


_LOWEST = float(np.finfo(np.float32).min)

CEIL_MODE = Difference(
    name="ceil_mode",
    title="With ceil_mode Paddle keeps a last window that starts behind the input",
    where="paddle.nn.functional.avg_pool1d, 2d, 3d, max_pool1d, 2d, 3d and their layers, with ceil_mode=True, where stride or "
          "padding leave no value to the last window",
    size="9 values, windows of 2, stride 3: 4 results where torch has 3. The average of no value is NaN (0 where only padding is "
         "averaged, with exclusive=False), the maximum -3.4e38.",
    measure=windows_with_ceil_mode,
    expected=(4, 4),
    control=_windows_without_ceil_mode,
    correct="3: torch drops a window that starts behind the input or in its right padding",
    figures={"3.3.1": 4, "3.0.0": 4, "2.6.2": 4},
    effect="another shape, and NaN or -3.4e38 in it, where the sizes fall so",
    avoided_by="no such operation in the twin of U-GAT-IT",
    is_bug=True,
    material=True,
    imitate=intercepting({_average_with_empty_windows: tuple(_AVERAGES), _maximum_with_empty_windows: tuple(_MAXIMA)}),
)


# --- divisor_override ------------------------------------------------------------------------------------------------

def average_with_divisor() -> float:
    """The last average of three ones by windows of 2 with ceil_mode, its divisor overridden by 1: it holds one value, so 1."""
    return _last_average(1.0)


def _last_average(divisor: float | None) -> float:
    pooled = paddle.nn.functional.avg_pool2d(paddle.ones([1, 1, 3, 3]), 2, 2, ceil_mode=True, divisor_override=divisor)
    return float(pooled[0, 0, -1, -1])


def _average_over_the_area(acted: Acted, pool: Callable[..., torch.Tensor], x: torch.Tensor, kernel_size: Any, stride: Any = None,
                           padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True,
                           divisor_override: int | None = None) -> torch.Tensor:
    result = pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    if divisor_override is None:
        return result
    spatial = _AVERAGES[pool]
    windows = _Windows.of(spatial, kernel_size, stride, padding)
    area = int(np.prod(windows.sizes))
    if bool((windows.counts(x.shape[-spatial:], result.shape[-spatial:], count_include_pad) == area).all()):
        return result
    acted.count += 1
    return pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad) * area / divisor_override


POOL_DIVISOR = Difference(
    name="pool_divisor",
    title="divisor_override divides the average, not the sum",
    where="paddle.nn.functional.avg_pool2d, avg_pool3d and their layers, with divisor_override, in windows that are not full "
          "(padding with exclusive=True, a last window of ceil_mode)",
    size="average * (kernel's area) / divisor: the lone value 1 in a corner of windows of 2 x 2 becomes 4 with a divisor of 1.",
    measure=average_with_divisor,
    expected=(4, 4),
    control=lambda: _last_average(None),
    correct="1, the sum of the window by the divisor, as torch gives",
    figures={"3.3.1": 4, "3.0.0": 4, "2.6.2": 4},
    effect="wrong borders, as large as kernel's area by the values there",
    avoided_by="no such operation in the twin of U-GAT-IT",
    is_bug=True,
    material=True,
    imitate=intercepting({_average_over_the_area: (F.avg_pool2d, F.avg_pool3d)}),
)

# The order counts: what is entered later sees a call first, and hands it on to those before it.
ENTRIES = (POOL_GRADIENT, CEIL_MODE, POOL_DIVISOR)
