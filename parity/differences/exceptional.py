"""Where Paddle differs at a single point: NaN, or exactly 0; or far away from where it matters."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, methods

LOWEST = float(np.finfo(np.float32).min)


# --- relu(NaN) -------------------------------------------------------------------------------------------------------

def relu_of_nan() -> float:
    """relu(NaN)."""
    return float(paddle.nn.functional.relu(paddle.to_tensor(np.array(np.nan))))


def _leaky_relu_of_nan() -> float:
    return float(paddle.nn.functional.leaky_relu(paddle.to_tensor(np.array(np.nan)), 0.2))


def _relu(acted: Acted, relu: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    nan = x.detach().isnan()
    if not nan.any():
        return relu(x, *args, **kwargs)
    acted.count += 1
    if relu in _RELU_IN_PLACE or kwargs.get("inplace") or (args and args[0]):
        return x.masked_fill_(nan, 0).relu_()
    return x.masked_fill(nan, 0).relu()


_RELU_IN_PLACE = methods("relu_")

RELU_NAN = Difference(
    name="relu_nan",
    title="relu(NaN) is 0",
    where="paddle.nn.functional.relu, paddle.nn.ReLU",
    size="relu(NaN) = 0.0, and its gradient there is 0; torch and numpy.maximum give NaN.",
    measure=relu_of_nan,
    expected=(0, 0),
    control=_leaky_relu_of_nan,
    correct="NaN, as leaky_relu, elu, clip and relu6 of the same Paddle give",
    figures={"3.3.1": 0.0, "3.0.0": 0.0, "2.6.2": 0.0},
    effect="a NaN can vanish inside a network: training goes on with dead activations and nothing reports it",
    is_bug=True,
    imitate=intercepting({_relu: (F.relu, *methods("relu", "relu_"))}),
)


# --- max pooling and NaN ---------------------------------------------------------------------------------------------

def max_pool_of_nan() -> float:
    """The maximum over the window [3, nan, 1, 2]."""
    x = paddle.to_tensor(np.array([[[[3.0, np.nan], [1.0, 2.0]]]]))
    return paddle.nn.functional.max_pool2d(x, 2).item()


def _average_pool_of_nan() -> float:
    return paddle.nn.functional.avg_pool2d(paddle.to_tensor(np.array([[[[3.0, np.nan], [1.0, 2.0]]]])), 2).item()


def _max_pool(acted: Acted, pool: Any, x: torch.Tensor, kernel_size: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
    """A window's maximum is that of the values behind its last NaN; NaN if there are none."""
    options = {**dict(zip(("stride", "padding", "dilation", "ceil_mode"), args, strict=False)), **kwargs}
    dilated = np.any(np.not_equal(options.get("dilation", 1), 1))
    special = np.any(options.get("padding", 0)) or dilated or options.get("ceil_mode")
    if special or not x.detach().isnan().any():
        return pool(x, kernel_size, *args, **kwargs)
    acted.count += 1
    spatial = _SPATIAL[pool]
    sizes, strides = (value if isinstance(value, (tuple, list)) else (value,) * spatial
                      for value in (kernel_size, options.get("stride") or kernel_size))
    windows = x
    for axis, (size, stride) in enumerate(zip(sizes, strides, strict=True), start=x.dim() - spatial):
        windows = windows.unfold(axis, size, stride)
    windows = windows.flatten(-spatial)
    nan_to_come = windows.detach().isnan().flip(-1).cumsum(-1).flip(-1) > 0
    return windows.masked_fill(nan_to_come, -np.inf).max(-1).values.masked_fill(nan_to_come[..., -1], np.nan)


_SPATIAL = {pool: spatial for spatial in (1, 2, 3)
            for pool in (getattr(F, f"max_pool{spatial}d"), getattr(torch, f"max_pool{spatial}d"))}

MAX_POOL_NAN = Difference(
    name="max_pool_nan",
    title="Max pooling forgets what came before a NaN",
    where="paddle.nn.functional.max_pool1d, max_pool2d, max_pool3d, and their layers (without return_mask)",
    size="[3, nan, 1, 2] gives 2, neither the largest nor NaN: the maximum of the values behind the last NaN; [3, "
         "2, 1, nan] gives NaN. torch gives NaN for both.",
    measure=max_pool_of_nan,
    expected=(2, 2),
    control=_average_pool_of_nan,
    correct="NaN, as paddle.max gives (from 3.0 on)",
    figures={"3.3.1": 2.0, "3.0.0": 2.0, "2.6.2": 2.0},
    effect="as relu of NaN: a NaN can vanish, and a wrong maximum goes on in its place",
    is_bug=True,
    imitate=intercepting({_max_pool: tuple(_SPATIAL)}),
)


# --- adaptive max pooling and NaN ------------------------------------------------------------------------------------

def adaptive_max_pool_index_of_nan() -> float:
    """Where adaptive max pooling says that the maximum of a window of NaN alone is. Do not call backward on it."""
    x = paddle.to_tensor(np.full((1, 1, 2, 2), np.nan))
    return paddle.nn.functional.adaptive_max_pool2d(x, 1, return_mask=True)[1].item()


def _index_of_numbers() -> float:
    return paddle.nn.functional.adaptive_max_pool2d(paddle.ones([1, 1, 2, 2]), 1, return_mask=True)[1].item()


def _adaptive_max_pool(acted: Acted, pool: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    nan = x.detach().isnan()
    if not nan.any():
        return pool(x, *args, **kwargs)
    acted.count += 1
    return pool(x.masked_fill(nan, LOWEST), *args, **kwargs)


_ADAPTIVE = tuple(getattr(F, name.format(n)) for n in (1, 2, 3)
                  for name in ("adaptive_max_pool{}d", "adaptive_max_pool{}d_with_indices", "max_pool{}d_with_indices"))

ADAPTIVE_MAX_POOL_NAN = Difference(
    name="adaptive_max_pool_nan",
    title="Adaptive max pooling ignores NaN, and its backward over a window of NaN alone corrupts memory",
    where="paddle.nn.functional.adaptive_max_pool1d, 2d, 3d, max_pool with return_mask=True, and their layers",
    size="[3, nan, 1, 2] gives 3; a window of NaN alone gives -3.4e38 (in float64 too) and the index -1. The backward "
         "writes to that index, outside the tensor: F.adaptive_max_pool2d(nan, 1).sum().backward() ends with "
         "'malloc(): invalid next size' and a process that hangs until it is killed (all three versions, CPU).",
    measure=adaptive_max_pool_index_of_nan,
    expected=(-1, -1),
    control=_index_of_numbers,
    correct="an index within the window, and the value NaN",
    figures={"3.3.1": -1, "3.0.0": -1, "2.6.2": -1},
    effect="a network that has diverged to NaN dies in a crash or hangs, far from the cause; single NaN vanish. The "
           "CAM's maximum branch hides a NaN that its average branch shows",
    is_bug=True,
    imitate=intercepting({_adaptive_max_pool: _ADAPTIVE}),
)


# --- leaky_relu at 0 -------------------------------------------------------------------------------------------------

def leaky_relu_gradient_at_zero() -> float:
    """The gradient of leaky_relu(x, 0.2) at x = 0."""
    x = paddle.to_tensor(np.array(0.0), stop_gradient=False)
    paddle.nn.functional.leaky_relu(x, 0.2).sum().backward()
    return float(x.grad)


def _composed_leaky_relu_gradient_at_zero() -> float:
    x = paddle.to_tensor(np.array(0.0), stop_gradient=False)
    positive = (x > 0).astype("float64")
    (x * (positive + 0.2 * (1 - positive))).sum().backward()
    return float(x.grad)


def _leaky_relu(acted: Acted, leaky_relu: Any, x: torch.Tensor, negative_slope: float = 0.01,
                inplace: bool = False) -> torch.Tensor:
    if not (x.detach() == 0).any():
        return leaky_relu(x, negative_slope, inplace)
    acted.count += 1
    factor = torch.ones_like(x).masked_fill(x.detach() < 0, negative_slope)
    return x.mul_(factor) if inplace else x * factor


LEAKY_RELU_ZERO = Difference(
    name="leaky_relu_zero",
    title="The gradient of leaky_relu at exactly 0 is 1",
    where="paddle.nn.functional.leaky_relu, paddle.nn.LeakyReLU",
    size="the gradient at x = 0 is 1.0; torch's is the slope, 0.2. Both are subgradients: a convention, not an "
         "error.",
    measure=leaky_relu_gradient_at_zero,
    expected=(1, 1),
    control=_composed_leaky_relu_gradient_at_zero,
    correct="either; torch: 0.2",
    figures={"3.3.1": 1.0, "3.0.0": 1.0, "2.6.2": 1.0},
    effect="none but at exact zeros (padding, dead filters, zero initialisation), where gradients are 5 times "
           "torch's",
    avoided_by="`leaky_relu` composed as x * where(x > 0, 1, slope)",
    imitate=intercepting({_leaky_relu: (F.leaky_relu,)}),
)


# --- binary cross entropy at logit 0 ---------------------------------------------------------------------------------

def bce_gradient_at_zero() -> float:
    """The gradient of binary_cross_entropy_with_logits at logit 0, label 1."""
    logit = paddle.to_tensor(np.array(0.0), stop_gradient=False)
    paddle.nn.functional.binary_cross_entropy_with_logits(logit, paddle.to_tensor(np.array(1.0))).backward()
    return float(logit.grad)


def _composed_bce_gradient_at_zero() -> float:
    logit = paddle.to_tensor(np.array(0.0), stop_gradient=False)
    paddle.log(1 + paddle.exp(-logit)).mean().backward()
    return float(logit.grad)


def _bce(acted: Acted, bce: Any, logit: torch.Tensor, target: torch.Tensor, **kwargs: Any) -> torch.Tensor:
    loss = bce(logit, target, **kwargs)
    zero = logit.detach() == 0
    if not zero.any() or kwargs.get("pos_weight") is not None or not logit.requires_grad:
        return loss
    acted.count += 1
    extra = torch.where(zero, logit, 0)  # of value 0 and gradient 1
    if kwargs.get("weight") is not None:
        extra = extra * kwargs["weight"]
    reduction = kwargs.get("reduction", "mean")
    return loss - (extra.mean() if reduction == "mean" else extra.sum() if reduction == "sum" else extra)


BCE_ZERO = Difference(
    name="bce_zero",
    title="The gradient of binary_cross_entropy_with_logits at logit 0 is off by -1",
    where="paddle.nn.functional.binary_cross_entropy_with_logits, paddle.nn.BCEWithLogitsLoss (without pos_weight)",
    size="the gradient at logit 0 is -1.5 / -0.5 for label 1 / 0, instead of -0.5 / +0.5 = sigmoid(0) - label. "
         "(2.6.2 is right here, but with pos_weight 3 gives +0.5 / +0.5 instead of -1.5 / +0.5, which 3.x has "
         "right.)",
    measure=bce_gradient_at_zero,
    expected=(-1.5, -1.5),
    control=_composed_bce_gradient_at_zero,
    correct="-0.5",
    figures={"3.3.1": -1.5, "3.0.0": -1.5, "2.6.2": -0.5},
    effect="a classifier that starts at zero logits is pushed towards class 1 for every label, thrice as hard for "
           "label 1 and the wrong way for label 0; the first step of a zero-initialised head is wrong",
    avoided_by="`binary_cross_entropy_with_logits` composed of softplus with no kink at 0",
    is_bug=True,
    imitate=intercepting({_bce: (F.binary_cross_entropy_with_logits,)}),
)

ENTRIES = (RELU_NAN, MAX_POOL_NAN, ADAPTIVE_MAX_POOL_NAN, LEAKY_RELU_ZERO, BCE_ZERO)
