"""Where a step of a program that is written alike, but names its layers otherwise, is said to go wrong: at the line itself."""

import linecache

import paddle
import pytest
import torch
from paddle.nn import functional as theirs
from torch.nn import functional as ours

from parity.declare.inputs import normal
from parity.declare.training import Training
from parity.steps.follow import follow


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.hidden = torch.nn.Linear(6, 8), torch.nn.Linear(8, 8)

    def forward(self, x):
        x = ours.gelu(self.first(x))
        pooled = x - x.mean(dim=1, keepdim=True)
        return torch.tanh(self.hidden(pooled))


class Twin(paddle.nn.Layer):
    def __init__(self, activation):
        super().__init__()
        self.activation = activation
        self.first, self.fc = paddle.nn.Linear(6, 8), paddle.nn.Linear(8, 8)

    def forward(self, x):
        x = self.activation(self.first(x))  # the line
        pooled = x - x.mean(axis=1, keepdim=True)
        return paddle.tanh(self.fc(pooled))


class OurTraining:
    def __init__(self):
        self.net = Net()
        self.sgd = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def step(self, x):
        loss = self.net(x).square().mean()
        self.sgd.zero_grad()
        loss.backward()
        self.sgd.step()
        return loss


class TheirTraining:
    activation = staticmethod(theirs.gelu)

    def __init__(self):
        self.net = Twin(self.activation)
        self.sgd = paddle.optimizer.SGD(0.1, parameters=self.net.parameters())

    def step(self, x):
        loss = self.net(x).square().mean()
        self.sgd.clear_grad()
        loss.backward()
        self.sgd.step()
        return loss


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("activation", [theirs.gelu, theirs.relu])
def test_a_wrong_activation_is_placed_at_its_line(mode, activation, monkeypatch):
    """Not where the layer behind it is given what it made of it, although that layer goes on with the reference's value."""
    monkeypatch.setattr(TheirTraining, "activation", staticmethod(activation))
    training = Training(OurTraining, TheirTraining, [normal(4, 6)]).subject(names={"hidden": "fc"})
    found = follow(training, steps=1, mode=mode)
    if activation is theirs.gelu:
        assert found.verdict == "same" and found.report.compared > 20
        return
    first = found.report.first
    assert found.verdict == "diverged" and (first.key.module, first.key.variable) == ("net", "x")
    assert "# the line" in linecache.getline(first.twin.file, first.twin.line)
