"""The norm of a vector: what its gradient is divided by, and what a clipping by it divides by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F
from torch.nn.utils import clip_grad

from parity.blame import hand_on
from parity.differences.constants import float32
from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, methods, replaced, with_gradient_times

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


def _distances(acted: Acted, cdist: Any, x: torch.Tensor, y: torch.Tensor, p: float = 2.0, *args: Any,
               **kwargs: Any) -> torch.Tensor:
    """Norms of differences; of more than 25 rows and with p = 2 both frameworks multiply matrices."""
    result = cdist(x, y, p, *args, **kwargs)
    multiplied = p == 2 and max(x.shape[-2], y.shape[-2]) > 25
    return result if multiplied else _as_paddle(acted, result, p, EPSILON)


def _normalize(acted: Acted, normalize: Any, x: torch.Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12,
               out: torch.Tensor | None = None) -> torch.Tensor:
    acting = Acted()
    norm = _as_paddle(acting, x.norm(p, dim, keepdim=True), p, eps)
    if not acting:
        return normalize(x, p, dim, eps, out)
    acted.count += 1
    return torch.div(x, norm.clamp_min(eps).expand_as(x), out=out)


def _weight_norm(acted: Acted, weight_norm: Any, v: torch.Tensor, g: torch.Tensor, dim: int = 0) -> torch.Tensor:
    acting = Acted()
    norm = _as_paddle(acting, torch.norm_except_dim(v, 2, dim), 2, EPSILON)
    if not acting:
        return weight_norm(v, g, dim)
    acted.count += 1
    return v * (g / norm)


NORM_GRADIENT = Difference(
    name="norm_gradient",
    title="The gradient of a norm is divided by the norm plus epsilon",
    where="paddle.norm (p_norm), paddle.linalg.norm and vector_norm, Tensor.norm; so paddle.cdist; "
          "paddle.nn.functional.normalize, with the epsilon that it is given; so paddle.nn.utils.weight_norm",
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
                          _distances: (torch.cdist,), _normalize: (F.normalize,), _weight_norm: (torch._weight_norm,)}),
)


# --- the root of a p-norm ----------------------------------------------------------------------------------------------

def norm_root_error() -> float:
    """Relative error of the float64 3-norm of (1, 2, 3): it is the third root of 36."""
    return abs(float(paddle.norm(paddle.to_tensor(np.array([1.0, 2.0, 3.0])), 3, 0)) / 36 ** (1 / 3) - 1)


def _composed_norm_root_error() -> float:
    x = paddle.to_tensor(np.array([1.0, 2.0, 3.0]))
    return abs(float(paddle.exp(paddle.log((x * x * x).sum()) / 3)) / 36 ** (1 / 3) - 1)


def _rooted(acted: Acted, norm: Callable[[float], torch.Tensor], p: Any) -> torch.Tensor:
    """`norm(p)` with p and 1 / p as float32 has them; its gradient is divided by the power of that."""
    if not isinstance(p, (int, float)) or not 0 < p < float("inf"):
        return norm(p)
    single, power = float32(p), float32(p) * float(np.float32(1) / np.float32(p))
    result = norm(p)
    if result.dtype != torch.float64 or (single == p and power == 1):
        return result
    acted.count += 1
    result = norm(single) if single != p else result
    value = result.detach()
    rooted = value ** torch.full_like(value, power)  # a number would be rounded where pow_exponent is imitated as well
    factor = torch.where(value > 0, value / rooted, 1.0) ** torch.full_like(value, single - 1)
    return with_gradient_times(Acted(), result + (rooted - value), factor)


def _norm_rooted(acted: Acted, norm: Any, x: torch.Tensor, p: Any = "fro", *args: Any, **kwargs: Any) -> torch.Tensor:
    return _rooted(acted, lambda p: norm(x, p, *args, **kwargs), p)


def _linear_norm_rooted(acted: Acted, norm: Any, x: torch.Tensor, ord: Any = None, dim: Any = None, **kwargs: Any) -> torch.Tensor:
    of_matrix = ord is not None and (x.dim() > 1 if dim is None else not isinstance(dim, int))
    return norm(x, ord, dim, **kwargs) if of_matrix else _rooted(acted, lambda p: norm(x, p, dim, **kwargs), ord)


def _vector_norm_rooted(acted: Acted, norm: Any, x: torch.Tensor, ord: Any = 2, *args: Any, **kwargs: Any) -> torch.Tensor:
    return _rooted(acted, lambda p: norm(x, p, *args, **kwargs), ord)


def _distances_rooted(acted: Acted, cdist: Any, x: torch.Tensor, y: torch.Tensor, p: float = 2.0, *args: Any,
                      **kwargs: Any) -> torch.Tensor:
    return _rooted(acted, lambda p: cdist(x, y, p, *args, **kwargs), p)


NORM_ROOT = Difference(
    name="norm_root",
    title="A p-norm has p and 1 / p in float32",
    where="paddle.norm (p_norm), paddle.linalg.norm and vector_norm, Tensor.norm; so paddle.cdist; p of 1, 2 and 4 are exact",
    size="float64: the 3-norm of (1, 2, 3) is 3.6e-8 off, relative, a 1.5-norm 7e-8; so is its gradient, twice.",
    measure=norm_root_error,
    expected=(1e-9, 1e-6),
    control=_composed_norm_root_error,
    correct="about 1e-16, as exp(log(sum) / 3) gives",
    figures={"3.3.1": 3.56e-8, "3.0.0": 3.56e-8, "2.6.2": 3.56e-8},
    effect="none in float32; in a float64 comparison it hides every smaller error behind it",
    avoided_by="no such norm in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_norm_rooted: methods("norm"), _linear_norm_rooted: (torch.linalg.norm,),
                          _vector_norm_rooted: (torch.linalg.vector_norm,), _distances_rooted: (torch.cdist,)}),
)


# --- clipping by the norm of all gradients -----------------------------------------------------------------------------

def clipped_norm_excess() -> float:
    """By how much a gradient of norm 1, clipped to 0.5, is larger than torch's, relative: that has the norm 0.5 / (1 + 1e-6)."""
    parameter = paddle.create_parameter([2], "float64")
    clip = paddle.nn.ClipGradByGlobalNorm(0.5)
    (_, clipped), = clip([(parameter, paddle.to_tensor(np.array([0.6, 0.8])))])
    return abs(float(np.linalg.norm(clipped.numpy())) / (0.5 / (1 + 1e-6)) - 1)


def _clip_grad_norm_excess() -> float:
    parameter = paddle.create_parameter([2], "float64")
    (parameter * paddle.to_tensor(np.array([0.6, 0.8]))).sum().backward()
    paddle.nn.utils.clip_grad_norm_([parameter], 0.5)
    return abs(float(np.linalg.norm(parameter.grad.numpy())) / (0.5 / (1 + 1e-6)) - 1)


@contextmanager
def _clipping_without_epsilon() -> Iterator[Acted]:
    acted = Acted()
    original = clip_grad._clip_grads_with_norm_

    def clip(parameters: Any, max_norm: float, total_norm: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        acted.count += bool(total_norm > max_norm)
        hand_on(original, parameters, max_norm, total_norm - 1e-6, *args, **kwargs)  # it adds that

    with replaced(clip_grad, "_clip_grads_with_norm_", clip):
        yield acted


CLIP_EPSILON = Difference(
    name="clip_epsilon",
    title="ClipGradByGlobalNorm divides by the norm, clip_grad_norm_ by the norm plus 1e-6",
    where="paddle.nn.ClipGradByGlobalNorm beside torch.nn.utils.clip_grad_norm_ (paddle.nn.utils.clip_grad_norm_ is as torch's)",
    size="1e-6 / norm, relative, in every gradient that is clipped.",
    measure=clipped_norm_excess,
    expected=(1e-7, 1e-5),
    control=_clip_grad_norm_excess,
    correct="0, where the two are to be one computation",
    figures={"3.3.1": 1e-6, "3.0.0": 1e-6, "2.6.2": 1e-6},
    effect="clipped gradients, and the updates of SGD, are larger by that",
    avoided_by="no clipping of gradients in the twin of U-GAT-IT",
    imitate=_clipping_without_epsilon,
)


# --- slices held to a norm -------------------------------------------------------------------------------------------

def renorm_excess() -> float:
    """By how much a row of norm 5, held to a norm of 1, is longer than torch's, relative: that is 5 / (5 + 1e-7) long."""
    row = paddle.renorm(paddle.to_tensor(np.array([[3.0, 4.0]])), 2.0, 0, 1.0).numpy()
    return abs(float(np.linalg.norm(row)) * (5 + 1e-7) / 5 - 1)


def _composed_renorm_excess() -> float:
    x = paddle.to_tensor(np.array([[3.0, 4.0]]))
    row = (x / (paddle.sqrt(paddle.square(x).sum()) + paddle.full([], 1e-7, "float64"))).numpy()
    return abs(float(np.linalg.norm(row)) * (5 + 1e-7) / 5 - 1)


def _renorm(acted: Acted, renorm: Any, x: torch.Tensor, p: float, dim: int, maxnorm: float) -> torch.Tensor:
    axes = [axis for axis in range(x.dim()) if axis != dim % x.dim()]
    magnitudes = torch.where(x < 0, -x, x)  # whose slope at 0 is 1, as Paddle has it, and not 0, as that of abs
    norms = (magnitudes ** torch.full_like(magnitudes, p)).sum(axes, keepdim=True)
    norms = norms ** torch.full_like(norms, 1 / p)
    long = norms > maxnorm
    if not bool(long.any()):
        return renorm(x, p, dim, maxnorm)
    acted.count += 1
    return torch.where(long, x * (float32(maxnorm) / torch.where(long, norms, 1.0)), x)


def _renorm_(acted: Acted, renorm: Any, x: torch.Tensor, p: float, dim: int, maxnorm: float) -> torch.Tensor:
    return x.copy_(_renorm(acted, torch.renorm, x.clone(), p, dim, maxnorm))


RENORM = Difference(
    name="renorm_epsilon",
    title="renorm divides by the norm, torch's by the norm plus 1e-7",
    where="paddle.renorm, Tensor.renorm; the bound is kept in float32 as well",
    size="1e-7 / norm, relative, in every slice that is too long, and in its gradient; float64: a bound of 0.7 is 1.7e-8 off.",
    measure=renorm_excess,
    expected=(1e-8, 3e-8),
    control=_composed_renorm_excess,
    correct="0, where the two are to be one computation",
    figures={"3.3.1": 2e-8, "3.0.0": 2e-8, "2.6.2": 2e-8},
    effect="none, unless norms are shorter than 1e-2",
    avoided_by="no such operation in the twin of U-GAT-IT",
    imitate=intercepting({_renorm: methods("renorm"), _renorm_: methods("renorm_")}),
)

ENTRIES = (NORM_GRADIENT, NORM_ROOT, CLIP_EPSILON, RENORM)
