"""Complex numbers: an exponential of single precision, and the gradient of a product of elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, methods

# --- the exponential -------------------------------------------------------------------------------------------------

def exponential_error() -> float:
    """Error of exp of 64 complex128 numbers of size 1."""
    z = np.random.default_rng(0).standard_normal((64, 2)).view(np.complex128)[:, 0]
    return float(np.abs(paddle.exp(paddle.to_tensor(z)).numpy() - np.exp(z)).max())


def _waves_error() -> float:
    z = np.random.default_rng(0).standard_normal((64, 2)).view(np.complex128)[:, 0]
    found = paddle.polar(paddle.to_tensor(np.exp(z.real)), paddle.to_tensor(z.imag))
    return float(np.abs(found.numpy() - np.exp(z)).max())


def _as_paddle(kernel: Callable, derivative: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable:
    """A function of complex128 with the values of Paddle's own kernel, of which nothing written in torch has the same bits.

    derivative: (x, what the kernel made of it) -> the derivative that Paddle goes on with.
    """
    def handler(acted: Acted, function: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if not isinstance(x, torch.Tensor) or x.dtype != torch.complex128 or args or kwargs:
            return function(x, *args, **kwargs)
        acted.count += 1
        here = x.detach()
        values = torch.from_numpy(kernel(paddle.to_tensor(here.cpu().resolve_conj().numpy())).numpy()).to(x.device)
        return values + (x - here) * derivative(here, values)

    return handler


COMPLEX_EXPONENTIAL = Difference(
    name="complex_exponential",
    title="exp and sigmoid of complex128 have single precision",
    where="paddle.exp and paddle.nn.functional.sigmoid of complex128, CPU",
    size="1e-7 relative in value and gradient. sin, cos, tanh, log, sqrt, polar of complex128 have their sixteen digits.",
    measure=exponential_error,
    expected=(1e-8, 1e-4),
    control=_waves_error,
    correct="1e-16, as torch and numpy give",
    figures={"3.3.1": 3.25e-7, "3.0.0": 3.25e-7, "2.6.2": 3.25e-7},
    effect="a float64 run that goes through a complex exponential has the accuracy of a float32 one",
    avoided_by="no complex numbers in the twin of U-GAT-IT; elsewhere paddle.polar(paddle.exp(z.real()), z.imag())",
    is_bug=True,
    imitate=intercepting({
        _as_paddle(paddle.exp, lambda x, y: y): methods("exp"),
        _as_paddle(paddle.nn.functional.sigmoid, lambda x, y: y * (1 - y)): (*methods("sigmoid"), F.sigmoid),
    }),
)


# --- a product of elements -------------------------------------------------------------------------------------------

def product_gradient() -> float:
    """The imaginary part of the gradient of prod([1 + 2i, 1]) by the second element, of the upstream gradient 1; 0 without one."""
    z = paddle.to_tensor(np.array([1 + 2j, 1]), stop_gradient=False)
    try:
        product = z.prod()
    except RuntimeError:  # 2.6 has no such kernel
        return 0.0
    paddle.autograd.backward([product], [paddle.to_tensor(np.array(1 + 0j))])
    return float(z.grad.numpy()[1].imag)


def _spelled_out_gradient() -> float:
    z = paddle.to_tensor(np.array([1 + 2j, 1]), stop_gradient=False)
    paddle.autograd.backward([z[0] * z[1]], [paddle.to_tensor(np.array(1 + 0j))])
    return float(z.grad.numpy()[1].imag)


def _product(acted: Acted, prod: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    if not x.is_complex() or not x.requires_grad:
        return prod(x, *args, **kwargs)
    acted.count += 1
    result = prod(x.detach(), *args, **kwargs)
    axis, here = kwargs.get("dim", args[0] if args else None), x.detach()
    whole = result if axis is None or result.dim() == x.dim() else result.unsqueeze(axis)
    change = (x - here) * (whole / here).conj()
    return result + (change.sum() if axis is None else change.sum(axis, keepdim=result.dim() == x.dim()))


COMPLEX_PRODUCT = Difference(
    name="complex_product",
    title="The gradient of a product of complex elements is the conjugate of what it should be",
    where="paddle.prod of complex numbers",
    size="by each element z it is upstream * (product / z), where everything else conjugates the derivative.",
    measure=product_gradient,
    expected=(1.99, 2.01),
    control=_spelled_out_gradient,
    correct="-2: the conjugate of the derivative, as torch gives, and Paddle for z[0] * z[1]; 2.6.2 cannot multiply them",
    figures={"3.3.1": 2.0, "3.0.0": 2.0, "2.6.2": 0.0},
    effect="training descends along another direction wherever the imaginary part is not 0",
    avoided_by="no complex numbers in the twin of U-GAT-IT; elsewhere multiply the elements",
    is_bug=True,
    material=True,
    imitate=intercepting({_product: methods("prod")}),
)

ENTRIES = (COMPLEX_EXPONENTIAL, COMPLEX_PRODUCT)
