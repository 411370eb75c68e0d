"""Operations of Paddle 1.8 ("Fluid") that the 2020 port stood on, as they were, in today's Paddle."""

from __future__ import annotations

import math

import paddle
from paddle.nn import initializer

from paddle_impl.spectral import _matrix


def clip(x):
    """clip(x, 0, 1) as in Paddle 1.8: no gradient at the bounds themselves (Paddle 3 has it there, as torch has)."""
    inside = ((x > 0) & (x < 1)).astype(x.dtype)
    return x.clip(0, 1).detach() + (x - x.detach()) * inside


def divide_by_sigma(layer, u, v, sigma):
    """weight_orig / sigma, with the gradient that the operator `spectral_norm` of Paddle 1.8.5 gives it, and today's still does.

    G * (1 - u v^T * sum(Wn)) / sigma, element by element, with Wn = weight_orig / sigma, where
    (G - u v^T * sum(G * Wn)) / sigma is right. u (rows,), v (columns,): singular vectors of `_matrix(layer, weight_orig)`.
    """
    weight = layer.weight_orig
    normalised = (weight / sigma).detach()
    # u v^T in the weight's own layout: each element of the matrix goes back to where `_matrix` took it from.
    origin = _matrix(layer, paddle.arange(weight.size).reshape(weight.shape)).flatten()
    outer = paddle.outer(u, v).flatten()[origin.argsort()].reshape(weight.shape)
    factor = ((1 - outer * normalised.sum()) / sigma).detach()
    return normalised + (weight - weight.detach()) * factor


def spectral_norm_operator(layer, inputs):
    """What `paddle.nn.SpectralNorm` does with a layer's weight, as a hook: the operator of then, still in Paddle 3.3.

    Its epsilon, 1e-8 by default, is added to the norms.
    """
    dim = 1 if isinstance(layer, paddle.nn.Linear) else 0
    layer.weight = paddle._C_ops.spectral_norm(layer.weight_orig, layer.weight_u, layer.weight_v, dim, 1, 1e-8)


def conv_weights(fan_in):
    """The default initialiser of a convolution: normal, variance 2 / fan_in (of 2.45 times torch's standard deviation)."""
    return paddle.ParamAttr(initializer=initializer.Normal(0.0, math.sqrt(2 / fan_in)))


def linear_weights():
    """The default initialiser of a Linear: Xavier, uniform."""
    return paddle.ParamAttr(initializer=initializer.XavierUniform())
