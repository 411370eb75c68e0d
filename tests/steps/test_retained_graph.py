"""A step that goes back through a graph twice, in replay, where values are spliced into that graph."""

import paddle
import pytest
import torch

from parity.inputs import normal
from parity.steps.follow import follow
from parity.training import Training


class Torch:
    def __init__(self):
        self.net, self.head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
        self.opt = torch.optim.SGD([*self.net.parameters(), *self.head.parameters()], lr=0.1)

    def step(self, x):
        self.opt.zero_grad()
        h = torch.tanh(self.net(x))
        a, b = self.head(h).mean(), (self.head(h) ** 2).mean()
        a.backward(retain_graph=True)
        b.backward()
        self.opt.step()
        return a, b


class Paddle:
    factor = 1

    def __init__(self):
        self.net, self.head = paddle.nn.Linear(4, 4), paddle.nn.Linear(4, 1)
        self.opt = paddle.optimizer.SGD(0.1, parameters=[*self.net.parameters(), *self.head.parameters()])

    def step(self, x):
        self.opt.clear_grad()
        h = paddle.tanh(self.net(x))
        a, b = self.head(h).mean(), (self.head(h) ** 2).mean()
        a.backward(retain_graph=True)
        (b * self.factor).backward()
        self.opt.step()
        return a, b


class Wrong(Paddle):
    factor = 1.5


@pytest.mark.parametrize(("twin", "verdict"), [(Paddle, "same"), (Wrong, "diverged")])
def test_a_second_backward_through_a_retained_graph(twin, verdict):
    training = Training(Torch, twin, batch=[normal(3, 4)])
    assert follow(training.subject(), steps=2, mode="resync", lane="float64").verdict == verdict
