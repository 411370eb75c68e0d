"""The norm of a vector: what its gradient is divided by."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.constants import float32
from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, methods, with_gradient_times

EPSILON = 1e-12  # of paddle.norm; F.normalize hands its own over


def norm_gradient_error() -> float:
    """Largest relative error of the float64 gradient of the 2-norm of (6e-4, 8e-4): it is x / norm(x)."""
    x = paddle.to_tensor(np.array([6e-4, 8e-4]), stop_gradient=False)
    paddle.norm(x, 2, 0).backward()
    return float(np.abs(x.grad.numpy() / [0.6, 0.8] - 1).max())


def _composed_norm_gradient_error() -> float:
    x = paddle.to_tensor(np.array([6e-4, 8e-4]), stop_gradient=False)
    paddle.sqrt(paddle.square(x).sum()).backward()
    return float(np.abs(x.grad.numpy() / [0.6, 0.8] - 1).max())


def _as_paddle(acted: Acted, norm: torch.Tensor, p: Any, epsilon: float) -> torch.Tensor:
    """A p-norm whose gradient is divided by norm ** (p - 1) + epsilon."""
    p = 2.0 if p in (None, "fro") else p
    if isinstance(p, str) or not 0 < p < float("inf"):
        return norm
    divisor = norm.detach() ** (p - 1)
    return with_gradient_times(acted, norm, divisor / (divisor + float32(epsilon)))


def _norm(acted: Acted, norm: Any, x: torch.Tensor, p: Any = "fro", *args: Any, **kwargs: Any) -> torch.Tensor:
    return _as_paddle(acted, norm(x, p, *args, **kwargs), p, EPSILON)


def _linear_norm(acted: Acted, norm: Any, x: torch.Tensor, ord: Any = None, dim: Any = None, **kwargs: Any) -> torch.Tensor:
    result = norm(x, ord, dim, **kwargs)
    of_matrix = ord is not None and (x.dim() > 1 if dim is None else not isinstance(dim, int))
    return result if of_matrix else _as_paddle(acted, result, ord, EPSILON)


def _vector_norm(acted: Acted, norm: Any, x: torch.Tensor, ord: Any = 2, *args: Any, **kwargs: Any) -> torch.Tensor:
    return _as_paddle(acted, norm(x, ord, *args, **kwargs), ord, EPSILON)


def _normalize(acted: Acted, normalize: Any, x: torch.Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12,
               out: torch.Tensor | None = None) -> torch.Tensor:
    acting = Acted()
    norm = _as_paddle(acting, x.norm(p, dim, keepdim=True), p, eps)
    if not acting:
        return normalize(x, p, dim, eps, out)
    acted.count += 1
    return torch.div(x, norm.clamp_min(eps).expand_as(x), out=out)


NORM_GRADIENT = Difference(
    name="norm_gradient",
    title="The gradient of a norm is divided by the norm plus epsilon",
    where="paddle.norm (p_norm), paddle.linalg.norm and vector_norm, Tensor.norm; paddle.nn.functional.normalize, with the epsilon "
          "that it is given",
    size="float64: 1e-12 / norm off, relative; of a p-norm 1e-12 / norm ** (p - 1). F.normalize(x, epsilon=1e-3) at norm 1e-3 has "
         "half of that gradient.",
    measure=norm_gradient_error,
    expected=(3e-10, 3e-9),
    control=_composed_norm_gradient_error,
    correct="about 1e-16, as sqrt(sum(square(x))) gives",
    figures={"3.3.1": 1e-9, "3.0.0": 1e-9, "2.6.2": 1e-9},
    effect="none in float32 where norms are above 1e-5; in a float64 comparison it hides every smaller error behind it",
    avoided_by="`normalize` composed of `square`, `sum` and `sqrt`",
    is_bug=True,
    imitate=intercepting({_norm: methods("norm"), _linear_norm: (torch.linalg.norm,), _vector_norm: (torch.linalg.vector_norm,),
                          _normalize: (F.normalize,)}),
)

ENTRIES = (NORM_GRADIENT,)
