"""Sums that Paddle adds up one term after the other in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.blame import hand_on
from parity.differences.difference import Difference
from parity.differences.imitation import Acted, axes_of, intercepting, methods, naive_sum, with_value

# --- variance --------------------------------------------------------------------------------------------------------

def variance_error() -> float:
    """Relative error of the float32 variance over [1, 2, 3] of 1 x 64 x 256 x 256 normal values."""
    x = np.random.default_rng(0).standard_normal((1, 64, 256, 256)).astype("float32")
    truth = x.astype("float64").var(ddof=1)
    return abs(paddle.var(paddle.to_tensor(x), [1, 2, 3]).item() / truth - 1)


def _axis_by_axis_variance_error() -> float:
    x = np.random.default_rng(0).standard_normal((1, 64, 256, 256)).astype("float32")
    p = paddle.to_tensor(x)
    found = paddle.square(p - p.mean(3).mean(2).mean(1)).mean(3).mean(2).mean(1)
    return abs(found.item() / x.astype("float64").var() - 1)


def _var(acted: Acted, var: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    result = var(x, *args, **kwargs)
    dim = kwargs.get("dim", args[0] if args and not isinstance(args[0], bool) else None)
    axes = axes_of(x, dim)
    if x.dtype != torch.float32 or len(axes) < 2:
        return result
    correction = kwargs.get("correction", 1 if kwargs.get("unbiased", True) else 0)
    array = x.detach().cpu().numpy()
    count = np.float32(np.prod([array.shape[axis] for axis in axes]))
    deviations = array - naive_sum(array, axes) / count
    value = naive_sum(deviations * deviations, axes) / (count - np.float32(correction))
    return with_value(acted, result, value)


VARIANCE = Difference(
    name="variance",
    title="paddle.var over several axes adds up naively in float32",
    where="paddle.var, paddle.std over two axes or more, CPU",
    size="float32: 3.7e-3 off over [1, 2, 3] at 64 x 256 x 256 (torch 3e-8), 1.5e-5 over [2, 3].",
    measure=variance_error,
    expected=(1e-4, 1e-1),
    control=_axis_by_axis_variance_error,
    correct="about 1e-7, as means axis by axis give (and 4 times faster)",
    figures={"3.3.1": 3.7e-3, "3.0.0": 3.7e-3, "2.6.2": 3.7e-3},
    effect="a layer norm of a feature map is off by half of that: the picture of a light generator (ngf 64, 256 px) "
           "is 8.6e-4 off its float64 value, 2.7e-6 without it; torch is at 2.6e-6",
    avoided_by="`var`: means of the squared deviations, one axis at a time",
    is_bug=True,
    imitate=intercepting({_var: methods("var")}),
)


# --- mean ------------------------------------------------------------------------------------------------------------

def mean_error() -> float:
    """Relative error of the float32 mean of 4 x 64 x 128 x 128 squares of normal values."""
    x = np.square(np.random.default_rng(0).standard_normal((4, 64, 128, 128))).astype("float32")
    return abs(float(paddle.to_tensor(x).mean()) / x.astype("float64").mean() - 1)


def _axis_by_axis_mean_error() -> float:
    x = np.square(np.random.default_rng(0).standard_normal((4, 64, 128, 128))).astype("float32")
    return abs(float(paddle.to_tensor(x).mean(3).mean(2).mean(1).mean(0)) / x.astype("float64").mean() - 1)


def _naive_mean(x: torch.Tensor, axes: tuple[int, ...]) -> np.ndarray:
    """Over all values bit for bit what Paddle gives: eight running sums side by side."""
    array = x.detach().cpu().numpy()
    lanes = 8 if len(axes) == array.ndim and array.size >= 8 else 1
    return naive_sum(array, axes, lanes) / np.float32(np.prod([array.shape[axis] for axis in axes]))


def _mean(acted: Acted, mean: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    result = mean(x, *args, **kwargs)
    if x.dtype != torch.float32:
        return result
    return with_value(acted, result, _naive_mean(x, axes_of(x, kwargs.get("dim", args[0] if args else None))))


def _mean_loss(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, **kwargs: Any) -> torch.Tensor:
    result = loss(input, target, **kwargs)
    if result.dtype != torch.float32 or kwargs.get("reduction", "mean") != "mean":
        return result
    terms = loss(input.detach(), target.detach(), reduction="none")
    return with_value(acted, result, _naive_mean(terms, axes_of(terms, None)))


MEAN = Difference(
    name="mean",
    title="paddle.mean adds up naively in float32, and so do the losses",
    where="paddle.mean, over all values too; mse_loss; CPU",
    size="float32: 1.6e-4 off over 4M squares of normal values (torch 1e-8; paddle.sum over all 5e-8), 3.6e-5 over "
         "[1, 2, 3] of values around 1, 4e-3 over 4M times 0.1.",
    measure=mean_error,
    expected=(1e-5, 1e-2),
    control=_axis_by_axis_mean_error,
    correct="about 1e-7, as means axis by axis give",
    figures={"3.3.1": 1.6e-4, "3.0.0": 1.6e-4, "2.6.2": 1.6e-4},
    effect="the value of a pixel loss over a large batch is 1e-4 off; its gradient is right",
    avoided_by="`mean`: one axis at a time, the last first",
    is_bug=True,
    imitate=intercepting({_mean: methods("mean"), _mean_loss: (F.mse_loss, F.l1_loss)}),
)


# --- sum over channels -----------------------------------------------------------------------------------------------

def channel_sum_error() -> float:
    """Relative error of the float32 sum over axis 1 of 1 x 2048 x 8 x 8 normal values."""
    x = np.random.default_rng(0).standard_normal((1, 2048, 8, 8)).astype("float32")
    truth = x.astype("float64").sum(1)
    return np.abs(paddle.to_tensor(x).sum(1).numpy() - truth).max() / np.abs(truth).max()


def _two_step_sum_error() -> float:
    x = np.random.default_rng(0).standard_normal((1, 2048, 8, 8)).astype("float32")
    truth = x.astype("float64").sum(1)
    found = paddle.to_tensor(x).reshape([1, 64, 32, 8, 8]).sum(2).sum(1).numpy()
    return np.abs(found - truth).max() / np.abs(truth).max()


def _sum(acted: Acted, sum_: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    result = sum_(x, *args, **kwargs)
    axes = axes_of(x, kwargs.get("dim", args[0] if args else None))
    if x.dtype != torch.float32 or len(axes) == x.dim():  # over all it is accurate
        return result
    return with_value(acted, result, naive_sum(x.detach().cpu().numpy(), axes))


CHANNEL_SUM = Difference(
    name="channel_sum",
    title="paddle.sum over some of the axes adds up naively in float32",
    where="paddle.sum(x, axis), CPU; over all axes it is accurate",
    size="float32: 7e-7 to 1.3e-6 off over 2048 channels (torch 1.4e-7), bit for bit what a loop over the channels "
         "gives.",
    measure=channel_sum_error,
    expected=(4e-7, 1e-5),
    control=_two_step_sum_error,
    correct="about 1e-7, as a sum in two steps gives",
    figures={"3.3.1": 6.8e-7, "3.0.0": 6.8e-7, "2.6.2": 6.8e-7},
    effect="the heat map (a sum over the channels) is that much off; no effect on training",
    avoided_by="`channel_sum`: 32 groups of channels, then over the groups",
    imitate=intercepting({_sum: methods("sum")}),
)


# --- the norm of a vector --------------------------------------------------------------------------------------------

def norm_error() -> float:
    """Largest relative error of the float32 2-norm of 8192 normal values, over 64 draws."""
    draws = np.random.default_rng(0).standard_normal((64, 8192)).astype("float32")
    truth = np.linalg.norm(draws.astype("float64"), axis=1)
    return max(abs(float(paddle.norm(paddle.to_tensor(x), 2, 0)) / t - 1) for x, t in zip(draws, truth, strict=True))


def _composed_norm_error() -> float:
    draws = np.random.default_rng(0).standard_normal((64, 8192)).astype("float32")
    truth = np.linalg.norm(draws.astype("float64"), axis=1)
    return max(abs(float(paddle.sqrt(paddle.square(paddle.to_tensor(x)).sum())) / t - 1)
               for x, t in zip(draws, truth, strict=True))


def _normalize(acted: Acted, normalize: Any, x: torch.Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12,
               out: torch.Tensor | None = None) -> torch.Tensor:
    if x.dtype != torch.float32 or p != 2:
        return normalize(x, p, dim, eps, out)
    norm = x.norm(p, dim, keepdim=True)
    array = x.detach().cpu().numpy()
    norm = with_value(acted, norm, np.sqrt(naive_sum(array * array, (dim,)))).clamp_min(eps).expand_as(x)
    return x / norm if out is None else torch.div(x, norm, out=out)


NORM = Difference(
    name="vector_norm",
    title="paddle.norm and F.normalize add up naively in float32",
    where="paddle.norm (p_norm), paddle.nn.functional.normalize, CPU",
    size="float32: up to 2.1e-6 off over 8192 values (torch 1e-7). In 2.6.2 paddle.linalg.norm without arguments is "
         "accurate.",
    measure=norm_error,
    expected=(3e-7, 1e-4),
    control=_composed_norm_error,
    correct="about 1e-7, as sqrt(sum(square(x))) gives",
    figures={"3.3.1": 2.1e-6, "3.0.0": 2.1e-6, "2.6.2": 2.1e-6},
    effect="spectral norm's u and v: in a global discriminator of full size the CAM logit is 3.3e-6 off, 9e-7 "
           "without it",
    avoided_by="`normalize` composed of `square`, `sum` and `sqrt`",
    imitate=intercepting({_normalize: (F.normalize,)}),
)


# --- gradients of what was broadcast ---------------------------------------------------------------------------------

def broadcast_gradient_error() -> float:
    """Relative error of the float32 gradient of a bias (1, 64, 1, 1) added to 1 x 64 x 256 x 256 values."""
    gradient = 1 + np.random.default_rng(0).standard_normal((1, 64, 256, 256)).astype("float32")
    bias = paddle.zeros([1, 64, 1, 1])
    bias.stop_gradient = False
    (paddle.zeros([1, 64, 256, 256]) + bias).backward(paddle.to_tensor(gradient))
    truth = gradient.astype("float64").sum((2, 3), keepdims=True)
    return np.abs(bias.grad.numpy() - truth).max() / np.abs(truth).max()


def _expanded_gradient_error() -> float:
    gradient = 1 + np.random.default_rng(0).standard_normal((1, 64, 256, 256)).astype("float32")
    bias = paddle.zeros([1, 64, 1, 1])
    bias.stop_gradient = False
    (paddle.zeros([1, 64, 256, 256]) + bias.expand([-1, -1, 256, -1])).backward(paddle.to_tensor(gradient))
    truth = gradient.astype("float64").sum((2, 3), keepdims=True)
    return np.abs(bias.grad.numpy() - truth).max() / np.abs(truth).max()


class _Expand(torch.autograd.Function):
    """expand, whose gradient is summed naively."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, shape: tuple[int, ...], acted: Acted) -> torch.Tensor:
        ctx.shape, ctx.acted = x.shape, acted
        return x.expand(shape)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        shape = (1,) * (gradient.dim() - len(ctx.shape)) + tuple(ctx.shape)
        axes = tuple(axis for axis, size in enumerate(shape) if size != gradient.shape[axis])
        ctx.acted.count += 1
        return torch.from_numpy(naive_sum(gradient.cpu().numpy(), axes)).to(gradient).reshape(ctx.shape), None, None


def _broadcast(acted: Acted, function: Any, *args: Any, **kwargs: Any) -> Any:
    tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
    if len(tensors) == 2 and all(tensor.dtype == torch.float32 for tensor in tensors):
        shape = torch.broadcast_shapes(*(tensor.shape for tensor in tensors))
        args = tuple(_Expand.apply(arg, shape, acted) if isinstance(arg, torch.Tensor) and arg.shape != shape
                     and arg.requires_grad else arg for arg in args)
    return hand_on(function, *args, **kwargs)


BROADCAST = Difference(
    name="broadcast_gradient",
    title="The gradient of a broadcast operand is added up naively in float32",
    where="+ - * / of operands of different shapes, the backward, CPU",
    size="float32 at 64 x 256 x 256: 9e-6 (+) to 1.6e-5 (*) off for an operand (1, 64, 1, 1), 3e-3 for (1, 1, 1, 1) "
         "in a product; torch 1e-7.",
    measure=broadcast_gradient_error,
    expected=(2e-6, 1e-3),
    control=_expanded_gradient_error,
    correct="about 1e-7",
    figures={"3.3.1": 9.2e-6, "3.0.0": 9.2e-6, "2.6.2": 9.2e-6},
    effect="the gradients of gamma, beta and rho of AdaLIN and LIN are 1e-5 off",
    avoided_by="`rows`: the operand is first expanded along the height, so that the sum is made in two steps",
    is_bug=True,
    imitate=intercepting({
        _broadcast: methods("add", "sub", "mul", "div", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__",
            "__rmul__", "__truediv__", "__rtruediv__"),
    }),
)

ENTRIES = (VARIANCE, MEAN, CHANNEL_SUM, NORM, BROADCAST)
