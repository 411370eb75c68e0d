"""What Paddle's batch norm remembers of the batches that it has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.constants import float32
from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting


def _batch() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, 1, 2, 2))


def _statistics(momentum: float = 0.9) -> tuple[float, float]:
    """Running mean and variance of a float64 batch norm, started at 0 and 0, after one batch."""
    layer = paddle.nn.BatchNorm2D(1, momentum=momentum)
    layer.to(dtype="float64")
    layer._variance.set_value(paddle.zeros([1], "float64"))
    layer(paddle.to_tensor(_batch()))
    return float(layer._mean.numpy()[0]), float(layer._variance.numpy()[0])


def variance_error() -> float:
    """Relative error of the running variance beside torch's, which is that of a sample: n / (n - 1) times larger; n is 8."""
    return abs(_statistics(0.5)[1] / (0.5 * _batch().var(ddof=1)) - 1)


def _composed_variance_error() -> float:
    deviations = paddle.to_tensor(_batch() - _batch().mean())
    return abs(float(0.5 * paddle.square(deviations).sum() / 7) / (0.5 * _batch().var(ddof=1)) - 1)


def momentum_error() -> float:
    """Relative error of the running mean after one batch: it should be 0.1 of the batch's."""
    return abs(_statistics()[0] / (0.1 * _batch().mean()) - 1)


def _power_of_two_error() -> float:
    return abs(_statistics(0.5)[0] / (0.5 * _batch().mean()) - 1)


def _with_biased_variance(acted: Acted, norm: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    mean, variance = args[:2] if len(args) > 1 else (kwargs.get("running_mean"), kwargs.get("running_var"))
    if not kwargs.get("training") or variance is None:
        return norm(x, *args, **kwargs)
    before = variance.clone()
    named = {**kwargs, "running_var": before.clone()} if len(args) < 2 else kwargs  # written later, it would break the backward
    result = norm(x, mean, before.clone(), *args[2:], **kwargs) if len(args) > 1 else norm(x, *args, **named)
    with torch.no_grad():
        axes = [axis for axis in range(x.dim()) if axis != 1]
        weight = kwargs["momentum"]
        variance.copy_((1 - weight) * before + weight * x.detach().var(axes, unbiased=False))
    acted.count += 1
    return result


def _with_float32_momentum(acted: Acted, norm: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    momentum = kwargs.get("momentum")
    if kwargs.get("training") and x.dtype == torch.float64 and momentum is not None and float32(1 - momentum) != 1 - momentum:
        acted.count += 1
        kwargs["momentum"] = 1 - float32(1 - momentum)
    return norm(x, *args, **kwargs)


RUNNING_VARIANCE = Difference(
    name="running_variance",
    title="Batch norm remembers the biased variance",
    where="paddle.nn.BatchNorm1D, 2D, 3D and paddle.nn.functional.batch_norm in training",
    size="the running variance takes in sum / n where torch takes sum / (n - 1): 12.5 % less at n = 8, 2 % at 49, "
         "0.02 % at 4096 (n: values a channel in the batch).",
    measure=variance_error,
    expected=(0.1, 0.15),
    control=_composed_variance_error,
    correct="about 1e-16, as sum / (n - 1) gives",
    figures={"3.3.1": 0.125, "3.0.0": 0.125, "2.6.2": 0.125},
    effect="none while training; in eval mode a network trained in small batches or on small maps scales its features by up "
           "to sqrt(n / (n - 1))",
    avoided_by="no batch norm in the twin of U-GAT-IT",
    remembers=True,
    imitate=intercepting({_with_biased_variance: (F.batch_norm,)}),
)

MOMENTUM = Difference(
    name="batch_norm_momentum",
    title="Batch norm keeps its momentum in float32",
    where="paddle.nn.BatchNorm1D, 2D, 3D and paddle.nn.functional.batch_norm in training",
    size="float64: 0.9 becomes 0.89999997615814, so what a batch adds to the running mean and variance is 2.4e-7 larger.",
    measure=momentum_error,
    expected=(1e-8, 1e-6),
    control=_power_of_two_error,
    correct="about 1e-16, as a momentum of 0.5 gives",
    figures={"3.3.1": 2.38e-7, "3.0.0": 2.38e-7, "2.6.2": 2.38e-7},
    effect="none in float32; in a float64 comparison the running statistics are 1e-8 off",
    avoided_by="no batch norm in the twin of U-GAT-IT",
    is_bug=True,
    remembers=True,
    imitate=intercepting({_with_float32_momentum: (F.batch_norm,)}),
)

# The order counts: the momentum is rounded first, and the variance then taken in with it.
ENTRIES = (RUNNING_VARIANCE, MOMENTUM)
