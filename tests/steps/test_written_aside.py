"""Weights that a step writes itself, before, between or after the updates of its optimizer, are compared as its state."""

import paddle
import pytest
import torch

import parity
from parity.declare.training import Training
from parity.inputs import normal


class TorchAside:
    """Takes its gradient a step aside, and goes back before the update (SAM)."""

    def __init__(self):
        self.net = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
        self.update = torch.optim.SGD(self.net.parameters(), 0.1)

    def step(self, x):
        self.net(x).square().mean().backward()
        aside = [0.1 * parameter.grad for parameter in self.net.parameters()]
        self.move(aside, 1)
        self.update.zero_grad()
        loss = self.net(x).square().mean()
        loss.backward()
        self.move(aside, -1)
        self.update.step()
        self.update.zero_grad()
        return loss

    @torch.no_grad()
    def move(self, aside, sign):
        for parameter, by in zip(self.net.parameters(), aside, strict=True):
            parameter.add_(sign * by)


class PaddleAside:
    def __init__(self, back=1.0):
        self.net = paddle.nn.Sequential(paddle.nn.Linear(5, 8), paddle.nn.Tanh(), paddle.nn.Linear(8, 3))
        self.update, self.back = paddle.optimizer.SGD(0.1, self.net.parameters()), back

    def step(self, x):
        self.net(x).square().mean().backward()
        aside = [0.1 * parameter.grad for parameter in self.net.parameters()]
        self.move(aside, 1)
        self.update.clear_grad()
        loss = self.net(x).square().mean()
        loss.backward()
        self.move(aside, -self.back)
        self.update.step()
        self.update.clear_grad()
        return loss

    @paddle.no_grad()
    def move(self, aside, sign):
        for parameter, by in zip(self.net.parameters(), aside, strict=True):
            parameter.set_value(parameter + sign * by)


class TorchShrinking:
    """Shrinks a weight before its loss is made; the update comes later, every second step."""

    def __init__(self):
        self.net = torch.nn.Linear(5, 3)
        self.update, self.steps = torch.optim.SGD(self.net.parameters(), 0.1), 0

    def step(self, x):
        self.net.weight.data.mul_(0.9)
        loss = self.net(x).square().mean()
        loss.backward()
        self.steps += 1
        if self.steps % 2 == 0:
            self.update.step()
            self.update.zero_grad()
        return loss


class PaddleShrinking:
    def __init__(self, by=0.9):
        self.net = paddle.nn.Linear(5, 3)
        self.update, self.steps, self.by = paddle.optimizer.SGD(0.1, self.net.parameters()), 0, by

    def step(self, x):
        self.net.weight.set_value(self.net.weight * self.by)
        loss = self.net(x).square().mean()
        loss.backward()
        self.steps += 1
        if self.steps % 2 == 0:
            self.update.step()
            self.update.clear_grad()
        return loss


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize(("reference", "twin", "wrong"), [(TorchAside, PaddleAside, {"back": 0.0}),
                                                          (TorchShrinking, PaddleShrinking, {"by": 1.0})])
def test_what_a_step_writes_itself_is_compared(reference, twin, wrong, mode):
    def followed(**mistake):
        return parity.follow(Training(reference, lambda: twin(**mistake), [normal(6, 5)]), steps=3, mode=mode)

    assert followed().verdict == "same"
    found = followed(**wrong)
    assert found.verdict == "diverged" and found.first.key.step == 1
