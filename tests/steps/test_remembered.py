"""What is kept from step to step beside weights, in a free run that a known difference has taken apart: the reference makes the
step again from where the twin stands, and that is part of it."""

import paddle
import pytest
import torch

from parity import Training, differences, normal
from parity.numbers.arrays import Verdict
from parity.steps.follow import follow
from tests.steps.plain import RATE, PaddleTrainer, TorchTrainer

FACTOR = 0.9  # Paddle's Momentum keeps it in float32: the two go apart from the second step on


def followed(reference, twin, steps=5):
    subject = Training(reference, twin, batch=[normal(6, 4), normal(6, 4)]).subject()
    return follow(subject, steps=steps, mode="free", differences=differences.ALL).report


class Reference(TorchTrainer):
    def __init__(self):
        super().__init__()
        self.opt = torch.optim.SGD(self.net.parameters(), lr=RATE, momentum=FACTOR)


class Twin(PaddleTrainer):
    def __init__(self):
        super().__init__()
        self.opt = paddle.optimizer.Momentum(RATE, FACTOR, parameters=self.net.parameters())


# --- a hidden state, of a module --------------------------------------------------------------------------------------

class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.hidden = torch.nn.Linear(4, 4), None

    def forward(self, x):
        y = self.fc(x)
        if self.hidden is not None:
            y = y + 0.5 * self.hidden
        self.hidden = y.detach()
        return y


class PaddleNet(paddle.nn.Layer):
    KEPT, FROM = 1.0, 0

    def __init__(self):
        super().__init__()
        self.fc, self.hidden, self.calls = paddle.nn.Linear(4, 4), None, 0

    def forward(self, x):
        y = self.fc(x)
        if self.hidden is not None:
            y = y + 0.5 * self.hidden
        self.calls += 1
        self.hidden = y.detach() * (self.KEPT if self.calls > self.FROM else 1.0)
        return y


def with_hidden_state(**constants):
    net = type("Net", (PaddleNet,), constants)
    return (type("Hidden", (Reference,), {"make": staticmethod(TorchNet)}),
            type("HiddenTwin", (Twin,), {"make": staticmethod(net)}))


# --- a running baseline, a number of the step's own -------------------------------------------------------------------

class Baseline(Reference):
    make = staticmethod(lambda: torch.nn.Linear(4, 4))

    def __init__(self):
        super().__init__()
        self.baseline = 0.0

    def step(self, x, t):
        loss = torch.nn.functional.mse_loss(self.net(x), t)
        self.opt.zero_grad()
        ((loss - self.baseline) ** 2).backward()
        self.opt.step()
        self.baseline = 0.875 * self.baseline + 0.125 * loss.item()
        return loss


class BaselineTwin(Twin):
    make = staticmethod(lambda: paddle.nn.Linear(4, 4))
    NEW = 0.125

    def __init__(self):
        super().__init__()
        self.baseline = 0.0

    def step(self, x, t):
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        ((loss - self.baseline) ** 2).backward()
        self.opt.step()
        self.baseline = 0.875 * self.baseline + self.NEW * loss.item()
        return loss


@pytest.mark.parametrize("programs", [with_hidden_state(), (Baseline, BaselineTwin)], ids=["hidden", "baseline"])
def test_a_right_twin_is_the_same_but_for_the_known_difference(programs):
    report = followed(*programs)
    assert not report.diverged and not report.undecided
    explained = [finding for finding in report.findings if finding.verdict is Verdict.EXPLAINED]
    assert explained and all("momentum_factor" in finding.cause for finding in explained)


@pytest.mark.parametrize(("programs", "step"), [
    (with_hidden_state(KEPT=1.001), 2),
    (with_hidden_state(KEPT=1.001, FROM=2), 4),  # wrong long after the two have gone apart
    ((Baseline, type("Other", (BaselineTwin,), {"NEW": 0.126})), 2)], ids=["hidden", "hidden_late", "baseline"])
def test_what_is_remembered_wrong_is_not_taken_for_the_known_difference(programs, step):
    report = followed(*programs)
    assert report.diverged and min(finding.key.step for finding in report.diverged) <= step
