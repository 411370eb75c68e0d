"""Operations whose gradient Paddle loses, in whole or in part."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting, methods

# --- windows that overlap --------------------------------------------------------------------------------------------


def overlapping_windows_gradient() -> float:
    """The gradient of the element that stands in all three windows of a sum over windows."""
    x = paddle.ones([5])
    x.stop_gradient = False
    x.unfold(0, 3, 1).sum().backward()
    return float(x.grad[2])


def _gathered_windows_gradient() -> float:
    x = paddle.ones([5])
    x.stop_gradient = False
    x[paddle.to_tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4]])].sum().backward()
    return float(x.grad[2])


class _LastOfEach(torch.autograd.Function):
    """A view, the gradient of whose elements is that of the last place in which they stand, and not the sum over all."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, result: torch.Tensor, places: np.ndarray) -> torch.Tensor:
        ctx.shape, ctx.places = x.shape, places
        return result.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple:
        kept = np.zeros(ctx.shape, gradient.detach().cpu().numpy().dtype).reshape(-1)
        kept[ctx.places] = gradient.detach().cpu().numpy().reshape(-1)  # of several at one place, numpy keeps the last
        return torch.from_numpy(kept.reshape(ctx.shape)).to(gradient), None, None


def _overwriting(acted: Acted, function: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    result = function(x, *args, **kwargs)
    if not x.requires_grad or not x.is_contiguous():
        return result
    places = function(torch.arange(x.numel()).reshape(x.shape), *args, **kwargs).numpy().reshape(-1)
    if len(np.unique(places)) == len(places):
        return result
    acted.count += 1
    return _LastOfEach.apply(x, result.detach(), places)


OVERLAPPING_WINDOWS = Difference(
    name="overlapping_windows",
    title="Windows that overlap give each element the gradient of one of them",
    where="paddle.Tensor.unfold (paddle.unfold along an axis), paddle.as_strided; not nn.functional.unfold",
    size="an element that stands in several windows has the gradient of the last of them, not the sum over all: 1, not 3, for the "
         "middle one of 5 in windows of 3.",
    measure=overlapping_windows_gradient,
    expected=(1, 1),
    control=_gathered_windows_gradient,
    correct="3, as torch gives, and Paddle for windows that are picked by index",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="what is below sliding windows (local attention, framed audio) learns from a part of them, without a word",
    avoided_by="no such windows in the twin of U-GAT-IT; elsewhere pick them by index, or nn.functional.unfold",
    is_bug=True,
    material=True,
    imitate=intercepting({_overwriting: methods("unfold", "as_strided")}),
)


# --- a diagonal ------------------------------------------------------------------------------------------------------

def diagonal_cut() -> float:
    """1 if a diagonal matrix made of what has a gradient has none."""
    x = paddle.ones([3])
    x.stop_gradient = False
    return float(paddle.diag_embed(x).stop_gradient)


def _diag_cut() -> float:
    x = paddle.ones([3])
    x.stop_gradient = False
    return float(paddle.diag(x).stop_gradient)


def _cut(acted: Acted, function: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    acted.count += x.requires_grad
    return function(x.detach(), *args, **kwargs)


DIAGONAL = Difference(
    name="diag_embed",
    title="diag_embed has no gradient",
    where="paddle.diag_embed, paddle.nn.functional.diag_embed",
    size="what it returns is cut off from what it is made of: its stop_gradient is True.",
    measure=diagonal_cut,
    expected=(1, 1),
    control=_diag_cut,
    correct="0: a gradient, as torch gives, and Paddle for diag",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="parameters that are seen through a diagonal matrix alone are never trained, without a word",
    avoided_by="no such matrix in the twin of U-GAT-IT; elsewhere x.unsqueeze(-1) * paddle.eye(n)",
    is_bug=True,
    material=True,
    imitate=intercepting({_cut: methods("diag_embed")}),
)

# --- a variance --------------------------------------------------------------------------------------------------------

def _variance() -> Any:
    return paddle.to_tensor(np.array([0.7, 1.9]), stop_gradient=False)


def variance_cut() -> float:
    """1 if the variance of a Gaussian's likelihood has no gradient."""
    variance = _variance()
    given = paddle.to_tensor(np.array([0.5, -0.3]), stop_gradient=False)
    paddle.nn.functional.gaussian_nll_loss(given, paddle.zeros_like(given), variance).backward()
    return float(variance.grad is None)


def _composed_variance_cut() -> float:
    variance = _variance()
    (0.5 * (paddle.log(variance) + 0.25 / variance)).mean().backward()
    return float(variance.grad is None)


def _likelihood(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, var: Any, *args: Any,
                **kwargs: Any) -> torch.Tensor:
    if isinstance(var, torch.Tensor):
        acted.count += var.requires_grad
        var = var.detach()
    return loss(input, target, var, *args, **kwargs)


VARIANCE = Difference(
    name="gaussian_variance",
    title="gaussian_nll_loss has no gradient for the variance",
    where="paddle.nn.functional.gaussian_nll_loss, paddle.nn.GaussianNLLLoss",
    size="the variance is cut off, by a clip under no_grad: its gradient is None.",
    measure=variance_cut,
    expected=(1, 1),
    control=_composed_variance_cut,
    correct="0: a gradient, as torch gives, and the same loss composed of log and a division",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="a network that predicts its own uncertainty never learns it, without a word",
    avoided_by="no such loss in the twin of U-GAT-IT; elsewhere 0.5 * (log(v) + (x - y) ** 2 / v)",
    is_bug=True,
    material=True,
    imitate=intercepting({_likelihood: (F.gaussian_nll_loss,)}),
)

# --- labels ----------------------------------------------------------------------------------------------------------

def _label() -> Any:
    return paddle.to_tensor(np.array([[0.3, 0.7]]), stop_gradient=False)


def labels_cut() -> float:
    """1 if the labels of a divergence of Kullback and Leibler have no gradient."""
    labels, given = _label(), paddle.to_tensor(np.array([[-1.0, -0.5]]), stop_gradient=False)
    paddle.nn.functional.kl_div(given, labels, reduction="sum").backward()
    return float(labels.grad is None)


def _composed_labels_cut() -> float:
    labels, given = _label(), paddle.to_tensor(np.array([[-1.0, -0.5]]), stop_gradient=False)
    (labels * (paddle.log(labels) - given)).sum().backward()
    return float(labels.grad is None)


def _labelled(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    acted.count += target.requires_grad
    return loss(input, target.detach(), *args, **kwargs)


LABELS = Difference(
    name="label_gradient",
    title="Losses of soft labels have no gradient for them",
    where="paddle.nn.functional.kl_div, binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy with soft_label, and "
          "their layers",
    size="the labels are cut off: their gradient is None. Squared, absolute and Huber's losses have both.",
    measure=labels_cut,
    expected=(1, 1),
    control=_composed_labels_cut,
    correct="0: a gradient, as torch gives, and the same loss composed of log and a product",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="of two predictions that are pulled towards each other (R-Drop, mutual learning) each half of the pull is gone, without "
           "a word",
    avoided_by="no such loss in the twin of U-GAT-IT; elsewhere (q * (log(q) - log(p))).sum()",
    is_bug=True,
    material=True,
    of_data=True,
    imitate=intercepting({_labelled: (F.kl_div, F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.cross_entropy)}),
)


# --- a group norm without weight -------------------------------------------------------------------------------------

def group_norm_gradient_sum() -> float:
    """The sum over the gradient of a group norm without weight, over what it should be without its mean term; that makes it 0."""
    return _gradient_sum(None)


def _weighed_group_norm_gradient_sum() -> float:
    return _gradient_sum(paddle.ones([2], "float64"))


def _gradient_sum(weight: Any) -> float:
    if not hasattr(paddle.nn.functional, "group_norm"):  # 2.6.2, whose layer always has a weight
        return 0.0
    x = paddle.to_tensor(np.array([[[-1.0], [1.0]]]), stop_gradient=False)
    result = paddle.nn.functional.group_norm(x, 1, epsilon=0.0, weight=weight)
    (result * paddle.to_tensor(np.array([[[1.0], [3.0]]]))).sum().backward()
    return float(x.grad.sum()) / 4


def _without_mean_term(acted: Acted, norm: Any, input: torch.Tensor, num_groups: int, weight: Any = None, bias: Any = None,
                       eps: float = 1e-5) -> torch.Tensor:
    result = norm(input, num_groups, weight, bias, eps)
    if weight is not None or not input.requires_grad:
        return result
    acted.count += 1
    groups = input.reshape(input.shape[0], num_groups, -1)
    scale = (groups.detach().var(-1, unbiased=False, keepdim=True) + eps).rsqrt()
    mean = groups.mean(-1, keepdim=True)
    return result + ((mean - mean.detach()) * scale).expand_as(groups).reshape(result.shape)


GROUP_NORM = Difference(
    name="group_norm_gradient",
    title="The gradient of a group norm without weight lacks its mean term",
    where="paddle.nn.functional.group_norm without weight, on the CPU, in any dtype; so paddle.nn.GroupNorm with weight_attr=False "
          "in 3.3.1 (up to 3.0.0 it has a frozen weight of ones all the same)",
    size="the mean over the group of what comes back, over the deviation, is not taken off: the gradient is 6% to 30% off for "
         "normal numbers. With a weight, of ones even, it is right.",
    measure=group_norm_gradient_sum,
    expected=(0.9, 1.1),
    control=_weighed_group_norm_gradient_sum,
    correct="0: a shift of all changes nothing, as torch gives, and Paddle with a weight",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 0},
    effect="what lies below is trained on a wrong gradient, without a word",
    avoided_by="no group norm in the twin of U-GAT-IT; elsewhere leave the weight at ones, and out of the optimizer",
    is_bug=True,
    material=True,
    imitate=intercepting({_without_mean_term: (F.group_norm,)}),
)

ENTRIES = (OVERLAPPING_WINDOWS, DIAGONAL, VARIANCE, LABELS, GROUP_NORM)
