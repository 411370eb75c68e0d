"""Averages of weights and the learning rate are state after each step, however they are kept."""

import copy

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.inputs import normal
from parity.steps.follow import follow


def torch_net():
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))


def paddle_net():
    return paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.Tanh(), paddle.nn.Linear(3, 1))


class Network:
    """A second network."""

    def __init__(self, net, decay):
        self.net, self.decay, self.copy = net, decay, copy.deepcopy(net)
        for parameter in self.copy.parameters():
            parameter.stop_gradient = True
            parameter.requires_grad = False

    def update(self):
        for kept, parameter in zip(self.copy.parameters(), self.net.parameters(), strict=True):
            value = self.decay * kept.detach() + (1 - self.decay) * parameter.detach()
            if isinstance(kept, torch.Tensor):
                kept.data.copy_(value)
            else:
                kept.set_value(value)


class ByName:
    """A dict of tensors."""

    def __init__(self, net, decay):
        self.net, self.decay = net, decay
        self.shadow = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}

    def update(self):
        for name, parameter in self.net.named_parameters():
            self.shadow[name] = self.decay * self.shadow[name] + (1 - self.decay) * parameter.detach()


class Attached(ByName):
    """The first of which are copies that a graph holds."""

    def __init__(self, net, decay):
        self.net, self.decay = net, decay
        self.shadow = {name: parameter.clone() for name, parameter in net.named_parameters()}

    def update(self):
        self.shadow = {name: (self.decay * self.shadow[name] + (1 - self.decay) * parameter).detach()
                       for name, parameter in self.net.named_parameters()}


class InOrder:
    """A list of tensors."""

    def __init__(self, net, decay):
        self.net, self.decay = net, decay
        self.shadow = [parameter.detach().clone() for parameter in net.parameters()]

    def update(self):
        self.shadow = [self.decay * kept + (1 - self.decay) * parameter.detach()
                       for kept, parameter in zip(self.shadow, self.net.parameters(), strict=True)]


class Never:
    """Of another kind, that never updates."""

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, net, decay):
        made = self.kind(net, decay)
        made.update = lambda: None
        return made


def training(average, twin=None, decay=0.9, last_rate=0.05):
    def reference():
        net = torch_net()
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        ema = average(net, 0.9)
        done = [0]

        def step(x):
            loss = net(x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update()
            done[0] += 1
            if done[0] == 2:
                optimizer.param_groups[0]["lr"] = 0.05
            return loss

        return step

    def port():
        net = paddle_net()
        optimizer = paddle.optimizer.SGD(0.1, net.parameters())
        ema = (twin or average)(net, decay)
        done = [0]

        def step(x):
            loss = net(x).square().mean()
            optimizer.clear_grad()
            loss.backward()
            optimizer.step()
            ema.update()
            done[0] += 1
            if done[0] == 2:
                optimizer.set_lr(last_rate)
            return loss

        return step

    return Training(reference, port, batch=[normal(5, 4)]).subject()


KINDS = (Network, ByName, InOrder, Attached)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("mode", "lane"), [("free", "float64"), ("resync", "float64"), ("free", "float32")])
def test_a_right_average_is_the_same(kind, mode, lane):
    assert follow(training(kind), steps=2, mode=mode, lane=lane).verdict == "same"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("wrong", [{"decay": 0.99}, {"decay": 0.9 + 1e-9}, "never"])
def test_a_wrong_average_is_found_in_the_state(kind, mode, wrong):
    found = follow(training(kind, Never(kind)) if wrong == "never" else training(kind, **wrong), steps=1, mode=mode)
    assert found.verdict == "diverged"
    stages = [f.key.stage for f in found.report.diverged]
    assert stages.count("state") == 4 and set(stages) <= {"forward", "state"}  # the line that makes it


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_a_rate_that_is_set_after_the_last_step(mode):
    found = follow(training(InOrder, last_rate=0.01), steps=2, mode=mode)
    assert [(f.key.stage, f.key.step, f.key.variable) for f in found.report.diverged] == [("state", 2, "lr")]
