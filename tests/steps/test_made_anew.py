"""A step that makes its optimizer anew goes on with that one, and begins with the first wherever it is made again."""

import paddle
import pytest
import torch

from parity import Training, differences, normal
from parity.steps.follow import follow


class TorchTrainer:
    def __init__(self):
        self.net, self.count = torch.nn.Linear(4, 2), 0
        self.opt = torch.optim.Adam(self.net.parameters(), lr=0.1)

    def step(self, x, t):
        loss = torch.nn.functional.mse_loss(self.net(x), t)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.count += 1
        if self.count == 2:
            self.opt = torch.optim.Adam(self.net.parameters(), lr=0.01)
        return loss


class PaddleTrainer:
    RATE = 0.01

    def __init__(self):
        self.net, self.count = paddle.nn.Linear(4, 2), 0
        self.opt = paddle.optimizer.Adam(0.1, parameters=self.net.parameters())

    def step(self, x, t):
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        loss.backward()
        self.opt.step()
        self.count += 1
        if self.count == 2:
            self.remake()
        return loss

    def remake(self):
        self.opt = paddle.optimizer.Adam(self.RATE, parameters=self.net.parameters())


class AnotherRate(PaddleTrainer):
    RATE = 0.02


class TheFirstWithItsMoments(PaddleTrainer):
    def remake(self):
        self.opt.set_lr(self.RATE)


def followed(twin, mode):
    subject = Training(TorchTrainer, twin, batch=[normal(6, 4), normal(6, 2)]).subject()
    return follow(subject, steps=4, mode=mode, differences=differences.ALL).report


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_it_is_followed(mode):
    report = followed(PaddleTrainer, mode)
    assert not report.diverged and not report.undecided


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_another_rate_is_found(mode):
    report = followed(AnotherRate, mode)
    assert report.diverged and report.first.key.step == 2 and report.first.key.variable == "lr"


def test_moments_that_are_kept_are_found():
    report = followed(TheFirstWithItsMoments, "free")
    assert report.diverged and report.first.key.step == 3 and report.first.key.stage == "update"


class TorchInTurns(TorchTrainer):
    def __init__(self):
        self.net = torch.nn.Linear(4, 2)
        self.opt = self.first = torch.optim.Adam([self.net.weight], lr=0.1)
        self.second = torch.optim.Adam([self.net.bias], lr=0.01)

    def step(self, x, t):
        loss = torch.nn.functional.mse_loss(self.net(x), t)
        self.net.zero_grad()
        loss.backward()
        self.opt.step()
        self.opt = self.second if self.opt is self.first else self.first
        return loss


class PaddleInTurns(PaddleTrainer):
    def __init__(self):
        self.net = paddle.nn.Linear(4, 2)
        self.opt = self.first = paddle.optimizer.Adam(0.1, parameters=[self.net.weight])
        self.second = paddle.optimizer.Adam(self.RATE, parameters=[self.net.bias])

    def step(self, x, t):
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.net.clear_gradients()
        loss.backward()
        self.opt.step()
        self.opt = self.second if self.opt is self.first else self.first
        return loss


def in_turns(rate, mode):
    twin = type("Twin", (PaddleInTurns,), {"RATE": rate})
    subject = Training(TorchInTurns, twin, batch=[normal(6, 4), normal(6, 2)]).subject()
    return follow(subject, steps=4, mode=mode, differences=differences.ALL).report


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_two_in_turns(mode):
    report = in_turns(0.01, mode)
    assert not report.diverged and not report.undecided
    assert in_turns(0.02, mode).diverged
