"""Losses: what cross entropy divides by, the labels that it smooths and those that it ignores, and an epsilon."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.constants import float32
from parity.differences.difference import Difference
from parity.differences.imitation import Acted, intercepting


def _reduced(terms: torch.Tensor, reduction: str) -> torch.Tensor:
    return terms.mean() if reduction == "mean" else terms.sum() if reduction == "sum" else terms


# --- ignored labels --------------------------------------------------------------------------------------------------

def mean_over_ignored_labels() -> float:
    """Mean cross entropy of two rows of equal logits, one label ignored, in units of log 2: it should be 1."""
    loss = paddle.nn.functional.cross_entropy(paddle.zeros([2, 2]), paddle.to_tensor([0, -100]))
    return float(loss) / np.log(2)


def _mean_over_labels_of_another_index() -> float:
    loss = paddle.nn.functional.cross_entropy(paddle.zeros([2, 2]), paddle.to_tensor([0, 1]), ignore_index=1)
    return float(loss) / np.log(2)


def _mean_over_all(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None,
                   size_average: Any = None, ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
                   label_smoothing: float = 0.0) -> torch.Tensor:
    settings = {"weight": weight, "ignore_index": ignore_index, "label_smoothing": label_smoothing}
    special = weight is not None or ignore_index >= 0 or label_smoothing or reduction != "mean" or target.is_floating_point()
    if special or size_average is not None or reduce is not None or not bool((target == ignore_index).any()):
        return loss(input, target, size_average=size_average, reduce=reduce, reduction=reduction, **settings)
    acted.count += 1
    return loss(input, target, reduction="sum", **settings) / target.numel()


IGNORED_LABELS = Difference(
    name="ignored_labels",
    title="Mean cross entropy counts ignored labels",
    where="paddle.nn.functional.cross_entropy, paddle.nn.CrossEntropyLoss, with reduction='mean', without weight, where a label is "
          "a negative ignore_index (-100, the default)",
    size="the sum over the labels that count is divided by the number of all: with half of them ignored the loss and its gradient "
         "are half as large. Right in 2.6.2, with an ignore_index of 0 or more, and with weight.",
    measure=mean_over_ignored_labels,
    expected=(0.49, 0.51),
    control=_mean_over_labels_of_another_index,
    correct="1: the mean over the labels that are not ignored, as torch gives",
    figures={"3.3.1": 0.5, "3.0.0": 0.5, "2.6.2": 1.0},
    effect="the more padding in a batch, the smaller the step: batches of short sentences hardly count",
    avoided_by="no such loss in the twin of U-GAT-IT; elsewhere reduction='sum' over (label != -100).sum()",
    is_bug=True,
    material=True,
    imitate=intercepting({_mean_over_all: (F.cross_entropy,)}),
)


# --- label smoothing -------------------------------------------------------------------------------------------------

def _rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, labels, and the smoothed labels as they should be."""
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((4, 10)), rng.integers(0, 10, 4)
    return logits, labels, 0.9 * np.eye(10)[labels] + 0.01


def label_smoothing_error() -> float:
    """Error of a float64 cross entropy with label_smoothing=0.1."""
    logits, labels, smooth = _rows()
    truth = -(smooth * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1).mean()
    found = paddle.nn.functional.cross_entropy(paddle.to_tensor(logits), paddle.to_tensor(labels), label_smoothing=0.1)
    return abs(float(found) - truth)


def _smoothed_by_hand_error() -> float:
    logits, _, smooth = _rows()
    truth = -(smooth * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1).mean()
    found = paddle.nn.functional.cross_entropy(paddle.to_tensor(logits), paddle.to_tensor(smooth), soft_label=True)
    return abs(float(found) - truth)


def _smoothed_in_float32(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None,
                         size_average: Any = None, ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
                         label_smoothing: float = 0.0) -> torch.Tensor:
    special = weight is not None or size_average is not None or reduce is not None or input.dtype != torch.float64
    if not label_smoothing or special or (not target.is_floating_point() and bool((target == ignore_index).any())):
        return loss(input, target, weight, size_average, ignore_index, reduce, reduction, label_smoothing)
    acted.count += 1
    classes = 1 if input.dim() > 1 else 0
    rate, count = np.float32(label_smoothing), input.shape[classes]
    kept, spread = float32(1 - rate), float(rate / np.float32(count))
    if target.is_floating_point():
        smooth = target * kept + spread
    else:
        labels = torch.tensor([spread, float(np.float32(kept) + np.float32(spread))], dtype=input.dtype, device=input.device)
        smooth = labels[F.one_hot(target, count)].movedim(-1, classes)
    terms = -(smooth * F.log_softmax(input, classes)).sum(classes)
    missing = (1 - smooth.sum(classes)) * input.logsumexp(classes)  # Paddle's gradient is softmax - labels, though they miss 1
    return _reduced(terms + missing - missing.detach(), reduction)


LABEL_SMOOTHING = Difference(
    name="label_smoothing",
    title="Label smoothing makes its labels in float32",
    where="paddle.nn.functional.cross_entropy with label_smoothing (of classes on the last axis), label_smooth",
    size="float64: with 0.1 of 10 classes the loss is 8.6e-8 off; the smoothed labels are float32(1 - rate) and "
         "float32(rate / classes).",
    measure=label_smoothing_error,
    expected=(1e-9, 1e-6),
    control=_smoothed_by_hand_error,
    correct="about 1e-16, as soft labels made in float64 give",
    figures={"3.3.1": 8.55e-8, "3.0.0": 8.55e-8, "2.6.2": 8.55e-8},
    effect="none in float32; in a float64 comparison the loss and all gradients are 1e-7 off",
    avoided_by="no such loss in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_smoothed_in_float32: (F.cross_entropy,)}),
)

# --- cosine embedding ------------------------------------------------------------------------------------------------

def cosine_embedding_epsilon() -> float:
    """What is added to squared lengths of 0 before the root: 1 - loss of two vectors whose lengths are nothing beside it."""
    x = paddle.full([1, 1], 1e-10, "float64")
    loss = paddle.nn.functional.cosine_embedding_loss(x, x, paddle.to_tensor([1]))
    return 1e-20 / (1 - loss.item())


def _cosine_similarity_epsilon() -> float:
    x = paddle.full([1, 1], 1e-10, "float64")
    return 1e-20 / paddle.nn.functional.cosine_similarity(x, x).item()


def _with_larger_epsilon(acted: Acted, loss: Any, input1: torch.Tensor, input2: torch.Tensor, target: torch.Tensor,
                         margin: float = 0, size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> torch.Tensor:
    squares = [(one * one).sum(-1) for one in (input1, input2)]
    same = all(bool((one.detach() + 10e-12 == one.detach() + 1e-12).all()) for one in squares)
    if same or size_average is not None or reduce is not None:
        return loss(input1, input2, target, margin, size_average, reduce, reduction)
    acted.count += 1
    cosine = (input1 * input2).sum(-1) / ((squares[0] + 10e-12) * (squares[1] + 10e-12)).sqrt()
    zero = torch.zeros_like(cosine)
    near, far = torch.where(target == 1, 1 - cosine, zero), torch.where(target == -1, (cosine - margin).clamp_min(0), zero)
    return _reduced(near + far, reduction)


COSINE_EMBEDDING = Difference(
    name="cosine_embedding",
    title="The cosine embedding loss adds 1e-11 where torch adds 1e-12",
    where="paddle.nn.functional.cosine_embedding_loss, paddle.nn.CosineEmbeddingLoss",
    size="1e-11 is added to the squared length of each vector: 1e-11 relative for vectors of length 1.",
    measure=cosine_embedding_epsilon,
    expected=(0.9e-11, 1.1e-11),
    control=_cosine_similarity_epsilon,
    correct="1e-12, as torch adds",
    figures={"3.3.1": 1e-11, "3.0.0": 1e-11, "2.6.2": 1e-11},
    effect="none, unless vectors are shorter than 1e-4",
    avoided_by="no such loss in the twin of U-GAT-IT",
    imitate=intercepting({_with_larger_epsilon: (F.cosine_embedding_loss,)}),
)


# --- margins of several classes ----------------------------------------------------------------------------------------

def margin_share_error() -> float:
    """Error of a float64 multi margin loss of five equal logits: it is 4 / 5."""
    logits, labels = paddle.zeros([1, 5], "float64"), paddle.to_tensor([0])
    return abs(float(paddle.nn.functional.multi_margin_loss(logits, labels)) - 0.8)


def _composed_margin_share_error() -> float:
    return abs(float(paddle.ones([5], "float64").mean() - paddle.full([], 0.2, "float64")) - 0.8)


def _share_in_float32(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, p: int = 1, margin: float = 1.0,
                      weight: torch.Tensor | None = None, size_average: Any = None, reduce: Any = None,
                      reduction: str = "mean") -> torch.Tensor:
    result = loss(input, target, p, margin, weight, size_average, reduce, reduction)
    if input.dtype != torch.float64 or input.dim() != 2 or size_average is not None or reduce is not None:
        return result
    classes = input.shape[1]
    off = margin ** p / classes - float(np.float32(margin ** p) / np.float32(classes))
    if off == 0:
        return result
    acted.count += 1
    weights = torch.ones_like(input[:, 0]) if weight is None else weight[target]
    return result + _reduced(off * weights, reduction)


MARGIN_SHARE = Difference(
    name="margin_share",
    title="The multi margin loss takes off the right class's share in float32",
    where="paddle.nn.functional.multi_margin_loss, paddle.nn.MultiMarginLoss",
    size="float64: float32(margin ** p) / float32(classes) is taken off, 3e-9 off with 5 classes; exact with 4. Gradients are "
         "right.",
    measure=margin_share_error,
    expected=(1e-9, 1e-8),
    control=_composed_margin_share_error,
    correct="about 1e-16, as composed operations give",
    figures={"3.3.1": 2.98e-9, "3.0.0": 2.98e-9, "2.6.2": 2.98e-9},
    effect="none in float32",
    avoided_by="no such loss in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_share_in_float32: (F.multi_margin_loss,)}),
)


# --- memory behind a negative likelihood -------------------------------------------------------------------------------

def _fate(reduction: str) -> int:
    """How a fork of this process ends that calls nll_loss with ignored labels: 0, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        for fault in (signal.SIGABRT, signal.SIGSEGV):
            signal.signal(fault, signal.SIG_DFL)  # Paddle's handlers hang where memory is corrupt
        signal.alarm(20)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        rows, labels = paddle.zeros([64, 2], "float64"), paddle.to_tensor([0] + [1] * 63)
        for _ in range(200):
            paddle.nn.functional.nll_loss(rows, labels, ignore_index=1, reduction=reduction)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def nll_loss_kills() -> float:
    """Whether 200 mean losses of 64 rows, all but the first ignored, end the process that computes them: 1 or 0."""
    return float(_fate("mean") < 0)


def _unreduced_kills() -> float:
    return float(_fate("none") < 0)


NLL_LOSS_MEMORY = Difference(
    name="nll_loss_memory",
    title="The negative likelihood writes over memory where a label is ignored",
    where="paddle.nn.functional.nll_loss, paddle.nn.NLLLoss, with reduction='mean' or 'sum', on the CPU, where a label is "
          "ignore_index",
    size="for an ignored label in row i a zero is written to element i of the result, which has one: from row 3 on in float64 "
         "and row 6 in float32 that is another's memory, and the process ends, soon or late, with 'malloc(): invalid size', a "
         "segmentation fault, or not at all.",
    measure=nll_loss_kills,
    expected=(1, 1),
    control=_unreduced_kills,
    correct="0: nothing but the result is written, as with reduction='none'",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="a training on the CPU dies far from its cause, or another tensor loses a number to zero and nothing reports it",
    avoided_by="no such loss in the twin of U-GAT-IT; elsewhere reduction='none', its sum over (label != ignored).sum(), or "
               "cross_entropy of the logits",
    is_bug=True,
)

ENTRIES = (IGNORED_LABELS, LABEL_SMOOTHING, COSINE_EMBEDDING, MARGIN_SHARE, NLL_LOSS_MEMORY)
