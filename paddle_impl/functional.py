"""Primitives composed by hand, where Paddle's own differ from torch in value, gradient or accuracy.

There is no torch counterpart of this file: each function is what one torch function or expression does. The
figures are for Paddle 3.3.1 on a CPU, unless said otherwise.
"""

import math

import paddle


def mean(x, axis=None):
    """Mean as ``torch.mean``: over ``axis`` (a list of ints >= 0), dimensions kept; over all, a 0-d tensor.

    One axis at a time, the last first. Over several axes at once Paddle sums naively in float32 (1.8e-5 off
    over 4M values, 2e-7 this way) and takes 10 times as long. It also stands for average pooling, whose
    gradient in Paddle uses a float32 1/(H*W), 1e-8 off in float64.
    """
    keepdim = axis is not None
    for one in sorted(axis if keepdim else range(x.ndim), reverse=True):
        x = x.mean(one, keepdim=keepdim)
    return x


def average_pool_3x3(x, stride=1):
    """Means over 3 x 3, padding not counted, of x (N, C, H, W), of the same size with stride 1: ``avg_pool2d(x, 3, stride, 1)`` of
    torch with count_include_pad=False, whose gradient in Paddle uses a float32 1/9 (4e-9 off in float64).
    """
    def summed(x):
        x = paddle.nn.functional.pad(x, [1, 1, 1, 1])
        x = x[:, :, :-2:stride] + x[:, :, 1:-1:stride] + x[:, :, 2::stride]
        return x[:, :, :, :-2:stride] + x[:, :, :, 1:-1:stride] + x[:, :, :, 2::stride]

    return summed(x) / summed(paddle.ones_like(x[:1, :1]))


def channel_sum(x):
    """Sum of x (N, C, H, W) over the channels, dimension kept, as ``torch.sum(x, 1, True)``.

    In two steps, as Paddle adds channel to channel: 1.5e-6 off in float32 over 2048 of them (torch 1.4e-7).
    """
    n, c, h, w = x.shape
    return x.reshape([n, c // math.gcd(c, 32), -1, h, w]).sum(2).sum(1, keepdim=True)


def var(x, x_mean, axis):
    """Unbiased variance over ``axis``, dimensions kept, as ``torch.var``; ``x_mean`` is ``mean(x, axis)``.

    Two passes; ``paddle.var`` is 3.7e-3 off in float32 at 64x256x256. The mean counts as a constant, since
    the gradient through it is exactly 0 (deviations sum to 0): do not differentiate twice through this.
    Raises ValueError where a variance has fewer than two values (torch: NaN and a warning).
    """
    count = 1
    for one in axis:
        count *= x.shape[one]
    if count < 2:
        raise ValueError(f"an unbiased variance needs two values or more: shape {x.shape}, axis {axis}")
    return mean(paddle.square(x - x_mean.detach()), axis) * (count / (count - 1))


def standardize(x, x_mean, x_var, eps):
    """(x - x_mean) / sqrt(x_var + eps), for x (N, C, H, W) and statistics (N, 1 or C, 1, 1)."""
    return (x - rows(x_mean, x)) / rows(paddle.sqrt(add_eps(x_var, eps)), x)


def instance_norm(x, eps):
    """Instance norm of x (N, C, H, W), biased variance, no affine, as ``torch.nn.functional.instance_norm``.

    Paddle's own keeps epsilon in float32: 1e-13 off in float64 at unit variance, 1e-8 at small variance.
    """
    deviation = x - rows(mean(x, [2, 3]), x)
    return deviation / rows(paddle.sqrt(add_eps(mean(paddle.square(deviation), [2, 3]), eps)), x)


def layer_norm(x, eps):
    """Layer norm of x (N, C, H, W) over all but N, biased variance, no affine, as ``torch.nn.functional.layer_norm``.

    Paddle's own keeps epsilon in float32.
    """
    deviation = x - rows(mean(x, [1, 2, 3]), x)
    return deviation / rows(paddle.sqrt(add_eps(mean(paddle.square(deviation), [1, 2, 3]), eps)), x)


def group_norm(x, num_groups, eps):
    """Group norm of x (N, C, H, W), biased variance, no affine, as ``torch.nn.functional.group_norm``; num_groups divides C.

    Paddle's own keeps epsilon in float32.
    """
    groups = x.reshape([x.shape[0], num_groups, -1, x.shape[3]])
    return instance_norm(groups, eps).reshape(x.shape)


def rows(statistic, x):
    """``statistic`` (N or 1, C or 1, 1, 1) spread along the height of x (N, C, H, W), ready to broadcast.

    Same values, better gradient, no cost: where an operand broadcasts, Paddle sums its gradient over all the
    spread axes at once, naively in float32: 8e-6 to 2e-5 off at 64x256x256 (torch 1e-7); this way 5e-7.
    """
    return statistic.expand([-1, -1, x.shape[2], -1])


def add_eps(x, eps):
    """x + eps in x's own precision: Paddle 2.6 rounds the float in ``x + eps`` to float32 (2.5e-13 off)."""
    return x + paddle.full([], eps, x.dtype)


def leaky_relu(x, negative_slope):
    """x where x > 0, else negative_slope * x, as ``torch.nn.functional.leaky_relu``.

    The gradient at exactly 0 is the slope; Paddle's own gives 1. (And 2.6 keeps the slope in float32.)
    """
    positive = (x > 0).astype(x.dtype)
    return x * (positive + negative_slope * (1 - positive))


def binary_cross_entropy_with_logits(logit, label):
    """Mean binary cross entropy, a 0-d tensor, as torch's function of that name; both of one shape and dtype.

    The gradient at logit exactly 0 is sigmoid(0) - label, so -0.5 / 0.5 for label 1 / 0; Paddle 3's own gives
    -1.5 / -0.5.
    """
    return mean(label * softplus(-logit) + (1 - label) * softplus(logit))


def softplus(x):
    """log(1 + exp(x)), without overflow, exact in both tails, and with gradient sigmoid(x) everywhere.

    It is max(x, 0) + log1p(exp(-|x|)), with the side of 0 taken as a constant, so that 0 is no kink.
    """
    positive = (x > 0).astype(x.dtype)
    return positive * x + paddle.log1p(paddle.exp((1 - 2 * positive) * x))


def normalize(x, eps):
    """The vector x over its 2-norm, or over eps where that is larger, as ``torch.nn.functional.normalize``.

    Paddle's own sums the squares naively in float32: 1.2e-6 off over 8192 values (torch 5e-8). In a global
    discriminator of full size that made the CAM logit 3.3e-6 off; 9e-7 this way.
    """
    return x / paddle.clip(paddle.sqrt(paddle.square(x).sum()), min=eps)
