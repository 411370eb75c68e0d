"""Softmax, and what is made of it, where logits lie far apart; a special function that torch has less exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, methods, with_gradient_times, with_value


def _gradients_apart(name: str) -> float:
    """How far apart the gradients of torch's and Paddle's function of that name are at 0.5, in float64."""
    ours = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    theirs = paddle.to_tensor(np.array([0.5]), stop_gradient=False)
    getattr(torch, name)(ours).sum().backward()
    getattr(paddle, name)(theirs).sum().backward()
    return abs(float(ours.grad[0]) - float(theirs.grad.numpy()[0]))


def digamma_gradients_apart() -> float:
    """How far apart the gradients of torch's and Paddle's digamma are at 0.5; pi^2 / 2 is right."""
    return _gradients_apart("digamma")


def _lgamma_gradients_apart() -> float:
    return _gradients_apart("lgamma")


def _with_exact_gradient(acted: Acted, digamma: Callable, input: torch.Tensor, **out: Any) -> torch.Tensor:
    result, x = digamma(input, **out), input.detach()
    if x.dtype != torch.float64 or not result.requires_grad:
        return result
    exact = torch.special.zeta(torch.full_like(x, 2), x)
    return with_gradient_times(acted, result, torch.where(x > 0, exact / torch.special.polygamma(1, x), 1.0))


DIGAMMA_GRADIENT = Difference(
    name="digamma_gradient",
    title="The gradient of digamma is more accurate than torch's",
    where="paddle.digamma, and what is made of it (distributions: Beta, Dirichlet, Gamma)",
    size="torch's trigamma is an asymptotic series cut short: 1.5e-9 off at 0.5 in float64 (3e-10 relative), Paddle's is right to "
         "1e-15.",
    measure=digamma_gradients_apart,
    expected=(1e-9, 2e-9),
    control=_lgamma_gradients_apart,
    correct="0: lgamma's gradients are the same to 1e-15",
    figures={"3.3.1": 1.53e-9, "3.0.0": 1.53e-9, "2.6.2": 1.53e-9},
    effect="none in float32; in a float64 comparison the gradients are 1e-9 off",
    avoided_by="no such function in the twin of U-GAT-IT",
    imitate=intercepting({_with_exact_gradient: (*methods("digamma"), torch.special.digamma, torch.special.psi)}),
)


# --- softmax ---------------------------------------------------------------------------------------------------------

FURTHEST = -64.0  # below the largest: what lies lower, Paddle takes to lie there


def _far_out() -> Any:
    return paddle.to_tensor(np.array([0.0, -300.0]))


def log_softmax_far_out() -> float:
    """The smaller of the two logarithms that log_softmax makes of 0 and -300, in float64."""
    return float(paddle.nn.functional.log_softmax(_far_out()).numpy()[1])


def _difference_from_logsumexp() -> float:
    return float((_far_out() - paddle.logsumexp(_far_out())).numpy()[1])


def _drawn_in(acted: Acted, x: torch.Tensor, dim: int) -> torch.Tensor:
    """The logits as Paddle takes them: their gradients stay their own."""
    if not x.is_floating_point() or not x.numel():
        return x
    own = x.detach()
    return with_value(acted, x, torch.maximum(own, own.amax(dim, keepdim=True) + FURTHEST).numpy())


def _along(acted: Acted, function: Callable, input: torch.Tensor, dim: int | None = None, *args: Any,
           **kwargs: Any) -> torch.Tensor:
    return function(input if dim is None else _drawn_in(acted, input, dim), dim, *args, **kwargs)


def _of_classes(acted: Acted, loss: Callable, input: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    return loss(_drawn_in(acted, input, 1 if input.dim() > 1 else 0), *args, **kwargs)


SOFTMAX_FAR_OUT = Difference(
    name="softmax_far_out",
    title="Softmax takes no logit to be more than 64 below the largest",
    where="paddle.nn.functional.softmax, log_softmax, cross_entropy, softmax_with_cross_entropy, and their layers; measured on the "
          "CPU",
    size="no probability is less than 1.6e-28 of the largest, no logarithm of one less than -64, and no loss of one label more "
         "than 64, in float32 and float64; torch goes down to what the dtype can hold (-300 stays -300). Gradients are the same.",
    measure=log_softmax_far_out,
    expected=(-64, -64),
    control=_difference_from_logsumexp,
    correct="-300, as x - logsumexp(x) gives",
    figures={"3.3.1": -64, "3.0.0": -64, "2.6.2": -64},
    effect="a loss that should be in the hundreds is shown as 64; log probabilities that are summed up (policies, beams) are too "
           "large; probabilities that should be 0 are 1.6e-28",
    avoided_by="no softmax in the twin of U-GAT-IT",
    imitate=intercepting({_along: (*methods("softmax", "log_softmax"), F.softmax, F.log_softmax, torch.special.softmax,
                                   torch.special.log_softmax), _of_classes: (F.cross_entropy,)}),
)

ENTRIES = (DIGAMMA_GRADIENT, SOFTMAX_FAR_OUT)
