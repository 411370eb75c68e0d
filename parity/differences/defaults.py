"""Layers of one name that are not one layer: what Paddle puts into them by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils import parametrizations
from torch.nn.utils import spectral_norm as torch_spectral_norm

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, replaced

# --- initialisers ----------------------------------------------------------------------------------------------------

def initial_linear_deviation() -> float:
    """Standard deviation of the initial weights of Linear(256, 256)."""
    return float(paddle.nn.Linear(256, 256).weight.numpy().std())


def _torch_initial_linear_deviation() -> float:
    return float(torch.nn.Linear(256, 256).weight.detach().std())


@contextmanager
def _paddle_initialisers() -> Iterator[Acted]:
    acted = Acted()

    def linear(module: torch.nn.Linear) -> None:
        acted.count += 1
        torch.nn.init.xavier_uniform_(module.weight)
        _zero(module.bias)

    def conv(module: _ConvNd) -> None:
        acted.count += 1
        torch.nn.init.kaiming_normal_(module.weight)
        _zero(module.bias)

    with replaced(torch.nn.Linear, "reset_parameters", linear), replaced(_ConvNd, "reset_parameters", conv):
        yield acted


def _zero(bias: torch.Tensor | None) -> None:
    if bias is not None:
        torch.nn.init.zeros_(bias)


INITIALISERS = Difference(
    name="initialisers",
    title="Linear and Conv2D start from other distributions",
    where="paddle.nn.Linear, paddle.nn.Conv2D, without weight_attr and bias_attr",
    size="std of Linear(256, 256): 0.0625 (Xavier uniform; torch 0.0360); of Conv2D(64, 64, 3): 0.0593 (normal, "
         "2/fan-in; torch 0.0241, uniform); biases are 0 (torch: uniform).",
    measure=initial_linear_deviation,
    expected=(0.061, 0.064),
    control=_torch_initial_linear_deviation,
    correct="a choice; torch: 0.0361 = 1 / sqrt(3 * 256)",
    figures={"3.3.1": 0.0625, "3.0.0": 0.0625, "2.6.2": 0.0625},
    effect="another start: the first losses are not comparable, and a bias of exactly 0 meets the gradients at 0 "
           "above",
    avoided_by="`linear` and `conv2d` of layers.py start as torch does",
    imitate=_paddle_initialisers,
)


# --- affine instance norm --------------------------------------------------------------------------------------------

def instance_norm_parameters() -> float:
    """How many parameters InstanceNorm2D(4) has."""
    return len(paddle.nn.InstanceNorm2D(4).parameters())


AFFINE_INSTANCE_NORM = Difference(
    name="affine_instance_norm",
    title="InstanceNorm2D has scale and bias by default",
    where="paddle.nn.InstanceNorm1D, 2D, 3D",
    size="2 parameters where torch has none (and batch norm's names are weight and bias, these are scale and bias).",
    measure=instance_norm_parameters,
    expected=(2, 2),
    control=lambda: len(list(torch.nn.InstanceNorm2d(4).parameters())),
    correct="a choice; torch: 0",
    figures={"3.3.1": 2, "3.0.0": 2, "2.6.2": 2},
    effect="parameters that the reference does not have: Paddle issue 26721 counted 132 against 88. The census "
           "finds it",
    avoided_by="its own `InstanceNorm2D` without parameters",
)


# --- what parameters() lists ------------------------------------------------------------------------------------------

def batch_norm_parameters() -> float:
    """How many parameters BatchNorm2D(4) has."""
    return len(paddle.nn.BatchNorm2D(4).parameters())


LISTED_STATISTICS = Difference(
    name="listed_statistics",
    title="parameters() of a batch norm lists its running statistics, too",
    where="paddle.nn.BatchNorm1D, 2D, 3D, SyncBatchNorm: parameters(), named_parameters()",
    size="4 tensors where torch lists 2; the mean and the variance have stop_gradient.",
    measure=batch_norm_parameters,
    expected=(4, 4),
    control=lambda: len(list(torch.nn.BatchNorm2d(4).parameters())),
    correct="a choice; torch: 2",
    figures={"3.3.1": 4, "3.0.0": 4, "2.6.2": 4},
    effect="an average of weights made by a loop over parameters() averages the running statistics as well (torch's loop leaves "
           "a teacher's own), and a count of parameters comes out larger",
)


# --- paddle.nn.SpectralNorm ------------------------------------------------------------------------------------------

def spectral_norm_gradient_error() -> float:
    """Relative error of the gradient of paddle.nn.SpectralNorm, against central differences."""
    rng = np.random.default_rng(0)
    layer = paddle.nn.SpectralNorm([4, 6], power_iters=50, dtype="float64")
    weight, upstream = rng.standard_normal((2, 4, 6))
    x = paddle.to_tensor(weight, stop_gradient=False)
    layer(x).backward(paddle.to_tensor(upstream))
    truth = np.zeros_like(weight)
    for i in np.ndindex(weight.shape):
        step = np.zeros_like(weight)
        step[i] = 1e-6
        above, below = (layer(paddle.to_tensor(weight + sign * step)).numpy() for sign in (1, -1))
        truth[i] = ((above - below) * upstream).sum() / 2e-6
    return np.abs(x.grad.numpy() - truth).max() / np.abs(truth).max()


def _composed_spectral_gradient_error() -> float:
    rng = np.random.default_rng(0)
    weight, upstream = rng.standard_normal((2, 4, 6))
    x = paddle.to_tensor(weight, stop_gradient=False)
    u, singular, vt = np.linalg.svd(weight)
    sigma = paddle.matmul(paddle.to_tensor(u[:, 0]), paddle.matmul(x, paddle.to_tensor(vt[0])))
    (x / sigma).backward(paddle.to_tensor(upstream))
    truth = upstream / singular[0] - (upstream * weight).sum() / singular[0] ** 2 * np.outer(u[:, 0], vt[0])
    return np.abs(x.grad.numpy() - truth).max() / np.abs(truth).max()


class _PaddleSpectral(torch.autograd.Function):
    """W / sigma; backward G * (1 - u v' * sum(W / sigma)) / sigma; (G - sum(G * W / sigma) * u v') / sigma is right."""

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        sigma = torch.dot(u, torch.mv(matrix, v))
        ctx.save_for_backward(matrix / sigma, u, v, sigma)
        return matrix / sigma

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        normalised, u, v, sigma = ctx.saved_tensors
        return gradient * (1 - torch.outer(u, v) * normalised.sum()) / sigma, None, None


def _over_norm(vector: torch.Tensor, eps: float) -> torch.Tensor:
    """Paddle adds epsilon, kept in float32, to the norm; torch divides by the larger of both."""
    return vector / (vector.norm() + float(np.float32(eps)))


@contextmanager
def _paddle_spectral_norm() -> Iterator[Acted]:
    acted = Acted()

    def compute_weight(hook: Any, module: torch.nn.Module, do_power_iteration: bool) -> torch.Tensor:
        acted.count += 1
        weight = getattr(module, f"{hook.name}_orig")
        order = [hook.dim, *(axis for axis in range(weight.dim()) if axis != hook.dim)]
        rows = weight.permute(order)
        matrix = rows.reshape(rows.shape[0], -1)
        u, v = (getattr(module, f"{hook.name}_{name}") for name in "uv")
        with torch.no_grad():
            for _ in range(hook.n_power_iterations):
                v = _over_norm(torch.mv(matrix.t(), u), hook.eps)
                u = _over_norm(torch.mv(matrix, v), hook.eps)
        back = [order.index(axis) for axis in range(weight.dim())]
        return _PaddleSpectral.apply(matrix, u, v).reshape(rows.shape).permute(back)

    with replaced(torch_spectral_norm.__globals__["SpectralNorm"], "compute_weight", compute_weight):
        yield acted


SPECTRAL_NORM = Difference(
    name="spectral_norm",
    title="paddle.nn.SpectralNorm never updates u and v, and its gradient is wrong",
    where="paddle.nn.SpectralNorm (the layer)",
    size="the gradient is 10 to 130 % off (finite differences): it is G * (1 - u v' * sum(W / sigma)) / sigma, an "
         "elementwise product, in place of (G - sum(G * W / sigma) * u v') / sigma. u and v are the same bits after "
         "any number of forwards, in eval mode too. They are divided by |w| + eps, not by max(|w|, eps).",
    measure=spectral_norm_gradient_error,
    expected=(0.05, 10),
    control=_composed_spectral_gradient_error,
    correct="below 1e-8, the error of the finite differences",
    figures={"3.3.1": 0.495, "3.0.0": 0.495, "2.6.2": 0.495},
    effect="one power iteration from random vectors never finds sigma, so discriminators are not bounded, and they "
           "learn along wrong gradients",
    avoided_by="`spectral_norm` by a hook, as torch's and paddle.nn.utils.spectral_norm",
    is_bug=True,
    material=True,
    imitate=_paddle_spectral_norm,
)

# --- paddle.nn.utils.spectral_norm --------------------------------------------------------------------------------------

def _sigma_apart(u_first: bool) -> float:
    """How far apart, relatively, sigma is after one forward in train mode and after one power iteration in that order."""
    rng = np.random.default_rng(0)
    matrix, u, v = (part / np.linalg.norm(part) for part in (rng.standard_normal(shape) for shape in ((4, 6), 4, 6)))
    layer = paddle.nn.utils.spectral_norm(paddle.nn.Linear(4, 6), dim=0)
    for name, value in (("orig", matrix), ("u", u), ("v", v)):
        getattr(layer, f"weight_{name}").set_value(value.astype("float32"))
    layer(paddle.zeros([1, 4]))
    for vector in "uv" if u_first else "vu":
        if vector == "u":
            u = matrix @ v / np.linalg.norm(matrix @ v)
        else:
            v = u @ matrix / np.linalg.norm(u @ matrix)
    return abs(matrix[0, 0] / float(layer.weight.numpy()[0, 0]) / (u @ matrix @ v) - 1)


def spectral_norm_order() -> float:
    """That of `torch.nn.utils.parametrizations.spectral_norm`, from which Paddle's differs."""
    return _sigma_apart(u_first=True)


@contextmanager
def _v_before_u() -> Iterator[Acted]:
    acted = Acted()

    @torch.no_grad()
    def power_method(own: Any, matrix: torch.Tensor, iterations: int) -> None:
        acted.count += 1
        for _ in range(iterations):
            own._v = F.normalize(torch.mv(matrix.H, own._u), dim=0, eps=own.eps, out=own._v)
            own._u = F.normalize(torch.mv(matrix, own._v), dim=0, eps=own.eps, out=own._u)

    with replaced(parametrizations._SpectralNorm, "_power_method", power_method):
        yield acted


SPECTRAL_NORM_ORDER = Difference(
    name="spectral_norm_order",
    title="spectral_norm works out v before u, torch's parametrization u before v",
    where="paddle.nn.utils.spectral_norm against torch.nn.utils.parametrizations.spectral_norm, in train mode",
    size="half a power iteration: a forward in train mode makes another sigma of the same u and v, by per cents as "
         "long as the vectors move. torch.nn.utils.spectral_norm, its older one, has Paddle's order; in eval mode nothing moves.",
    measure=spectral_norm_order,
    expected=(1e-3, 1),
    control=lambda: _sigma_apart(u_first=False),
    correct="a choice; the older of torch's two: 0",
    figures={"3.3.1": 0.156, "3.0.0": 0.156, "2.6.2": 0.156},
    effect="weights, outputs and gradients of every step in train mode are other ones, by per cents, though both are right",
    avoided_by="`spectral_norm` by a hook, as torch.nn.utils.spectral_norm, which the reference uses",
    material=True,
    imitate=_v_before_u,
)

ENTRIES = (INITIALISERS, AFFINE_INSTANCE_NORM, LISTED_STATISTICS, SPECTRAL_NORM, SPECTRAL_NORM_ORDER)
