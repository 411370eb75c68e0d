"""A learning rate that is another one is placed at the line that says so, wherever the two frameworks have its numbers written."""

import paddle
import pytest
import torch

from parity import Training, normal
from parity.steps.follow import follow


class TorchTrainer:
    def __init__(self):
        self.net = torch.nn.Linear(4, 2)
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.opt, step_size=2, gamma=0.5)

    def step(self, x, t):
        loss = torch.nn.functional.mse_loss(self.net(x), t)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.schedule.step()
        return loss


class PaddleTrainer:
    def __init__(self):
        self.net = paddle.nn.Linear(4, 2)
        self.schedule = paddle.optimizer.lr.StepDecay(0.2, step_size=2, gamma=0.5)
        self.opt = paddle.optimizer.SGD(self.schedule, parameters=self.net.parameters())

    def step(self, x, t):
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        loss.backward()
        self.opt.step()
        self.schedule.step()
        return loss


class PaddleSooner(PaddleTrainer):
    def __init__(self):
        self.net = paddle.nn.Linear(4, 2)
        self.schedule = paddle.optimizer.lr.StepDecay(0.2, step_size=1, gamma=0.5)
        self.opt = paddle.optimizer.SGD(self.schedule, parameters=self.net.parameters())

    def step(self, x, t):
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        loss.backward()
        self.opt.step()
        self.schedule.step()
        return loss


class TorchByHand:
    def __init__(self):
        self.net = torch.nn.Linear(4, 2)
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2)
        self.count = 0

    def step(self, x, t):
        self.count += 1
        for group in self.opt.param_groups:
            group["lr"] = 0.2 / self.count
        loss = torch.nn.functional.mse_loss(self.net(x), t)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss


class PaddleByHand:
    def __init__(self):
        self.net = paddle.nn.Linear(4, 2)
        self.opt = paddle.optimizer.SGD(0.2, parameters=self.net.parameters())
        self.count = 0

    def step(self, x, t):
        self.count += 1
        self.opt.set_lr(0.2 / self.count)
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        loss.backward()
        self.opt.step()
        return loss


class PaddleLate(PaddleByHand):
    def step(self, x, t):
        self.count += 1
        self.opt.set_lr(0.2 / (self.count + 1))
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        loss.backward()
        self.opt.step()
        return loss


def first(reference, twin):
    return follow(Training(reference, twin, batch=[normal(6, 4), normal(6, 2)]).subject(), steps=3).report.first


def test_a_right_schedule_is_the_same():
    assert first(TorchTrainer, PaddleTrainer) is None and first(TorchByHand, PaddleByHand) is None


@pytest.mark.parametrize(("reference", "twin", "line"), [
    (TorchTrainer, PaddleSooner, "self.schedule = paddle.optimizer.lr.StepDecay(0.2, step_size=1, gamma=0.5)"),
    (TorchByHand, PaddleLate, "self.opt.set_lr(0.2 / (self.count + 1))"),
])
def test_the_line_that_says_another_rate_is_the_place(reference, twin, line):
    assert first(reference, twin).twin.text == line
