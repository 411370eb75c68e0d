"""Operations of Paddle 1.8 ("Fluid") that the 2020 port stood on, as they were, in today's Paddle."""

from __future__ import annotations

import paddle

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
