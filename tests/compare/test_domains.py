"""What a program checks of its inputs holds in every run that the harness makes of it."""

import numpy as np
import paddle
import pytest
import torch
from torch.nn import functional as F

import parity
from parity import normal, uniform
from parity.port import Port

LABELS = (np.arange(15).reshape(3, 5) % 3 == 0).astype(np.float32)


class Labelled(torch.nn.Linear):
    def __init__(self):
        super().__init__(4, 5)

    def forward(self, x, labels):
        return F.binary_cross_entropy(super().forward(x).sigmoid(), labels)


class PaddleLabelled(paddle.nn.Linear):
    def __init__(self, smoothed=0.0):
        super().__init__(4, 5)
        self.smoothed = smoothed

    def forward(self, x, labels):
        labels = labels * (1 - self.smoothed)
        return paddle.nn.functional.binary_cross_entropy(paddle.nn.functional.sigmoid(super().forward(x)), labels)


@pytest.mark.parametrize("smoothed, verdict", [(0.0, "same"), (1e-3, "diverged")])
def test_labels_of_one_stay_labels(smoothed, verdict):
    """torch raises at a label of 1 + eps, which no rounding makes of 1."""
    pair = Port(Labelled, lambda: PaddleLabelled(smoothed), inputs=[normal(3, 4), LABELS], modes=["eval"])
    assert parity.compare(pair).verdict == verdict


def test_labels_that_are_fed_in_need_no_gradient():
    """Paddle has none for them (label_gradient): told, and no matter of a training. That weights which make labels get none is one
    (tests/differences), and so is that of a loss without weights, whose inputs may be anybody's results."""
    pair = Port(Labelled, PaddleLabelled, inputs=[normal(3, 4), LABELS], modes=["eval"])
    found = parity.compare(pair, quick=True)
    assert found.verdict == "same"
    assert any("label_gradient" in str(finding.cause) for finding in found.merged.findings if finding.verdict.value == "explained")
    loss = Port(torch.nn.KLDivLoss, paddle.nn.KLDivLoss, inputs=[normal(3, 4), uniform(3, 4)], modes=["eval"])
    found = parity.compare(loss, quick=True)
    assert found.verdict == "diverged" and "label_gradient" in str(found.headline[1].cause)
