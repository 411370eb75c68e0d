"""Who gets a share of the loss's gradient: classes, terms by sum and by mean, a factor of the whole; and a loss at chance."""

from __future__ import annotations

import gc
import math

import numpy as np
import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    paddle.seed(0)


def watched(net, loss, iterations=2):
    opt = torch.optim.SGD(net.parameters(), 0.1)
    with parity.doctor({"net": net}, {"opt": opt}) as d:
        for _ in range(iterations):
            opt.zero_grad()
            loss(net).backward()
            opt.step()
    return {found.id: found for found in d.findings}


def hinge(score, label):
    return F.relu(1 - label * score).mean()


def masked(score, mask):
    return (score * mask).mean()


def scaled(score, label):
    total, share = score.sum(), label.mean()
    return total * share


@pytest.mark.parametrize(("loss", "low", "ill"), [(hinge, 0, True), (hinge, -1, False), (masked, 0, False), (scaled, 0, False)])
def test_labels_of_a_hinge(loss, low, ill):
    def step(net):
        x = torch.randn(40, 3)
        return loss(net(x).squeeze(1), torch.where(x[:, 0] > 0, 1.0, float(low)))

    found = watched(nn.Linear(3, 1), step)
    assert ill == ("class-without-gradient" in found) and "watch-failed" not in found
    assert not ill or "F.relu(1 - label" in found["class-without-gradient"].site.text


@pytest.mark.parametrize(("ignored", "void", "ill"), [(0, 255, True), (255, 255, False), (0, 0, False)])
def test_a_class_that_is_ignored(ignored, void, ill):
    """void: what fills the targets up at the end of each row."""
    def step(net):
        x = torch.randn(8, 3, 6)
        labels = x.argmax(1) if void else 1 + x[:, 1:].argmax(1)
        labels[:, 4:] = void
        return F.cross_entropy(net(x), labels, ignore_index=ignored) if void == ignored else F.cross_entropy(
            net(x)[..., :4], labels[:, :4], ignore_index=ignored)

    found = watched(nn.Conv1d(3, 3, 1), step)
    assert ill == ("class-without-gradient" in found)
    assert not ill or "ignore_index=ignored" in found["class-without-gradient"].site.text


def test_a_class_that_is_ignored_in_paddle():
    net = paddle.nn.Linear(3, 3)
    opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())
    with parity.doctor({"net": net}, {"opt": opt}) as d:
        for _ in range(2):
            x = paddle.randn([60, 3])
            paddle.nn.functional.cross_entropy(net(x), x.argmax(1), ignore_index=1).backward()
            opt.step()
            opt.clear_grad()
    (found,) = [found for found in d.findings if found.id == "class-without-gradient"]
    assert "label 1 " in found.message and "ignore_index=1" in found.site.text


@pytest.mark.parametrize(("penalty", "ill"), [
    (lambda h: h.square().sum(), True), (lambda h: h.square().sum() / len(h), False), (lambda h: h.square().sum(1).mean(), False),
], ids=["sum", "sum over the batch's size", "mean of sums"])
def test_a_sum_beside_a_mean(penalty, ill):
    def step(net):
        x = torch.randn(16, 80)
        hidden = net[0](x)
        return F.mse_loss(net[1](hidden), x) + penalty(hidden)

    found = watched(nn.Sequential(nn.Linear(80, 4), nn.Linear(4, 80)), step)
    assert ill == ("loss-drowned" in found)
    assert not ill or "penalty(hidden)" in found["loss-drowned"].site.text or "h.square().sum()" in found["loss-drowned"].site.text


def test_a_sum_for_a_gradient_of_its_own():
    """What an input is moved by, before the loss: no term of it."""
    def step(net):
        x = torch.randn(16, 80, requires_grad=True)
        (slope,) = torch.autograd.grad(net(x).square().sum(), x)
        return F.mse_loss(net(x.detach() - 0.01 * slope), x.detach())

    assert "loss-drowned" not in watched(nn.Linear(80, 80), step)


class Weighed(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.scales = nn.Linear(3, 2), nn.Parameter(torch.zeros(2))

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize("held", [True, False])
def test_weights_of_terms_that_nothing_holds(held):
    def step(net):
        terms = net(torch.randn(8, 3)).square().mean(0)
        return (torch.exp(-net.scales) * terms + held * net.scales).sum()

    assert held != ("loss-scaled-away" in watched(Weighed(), step))


@pytest.mark.parametrize("known", [True, False])
def test_a_loss_at_chance_that_tells_the_classes_apart(known):
    """Scores near 0, as cosines are: the loss is at chance, and yet they are told apart, or not."""
    rng = np.random.default_rng(0)

    def step(net):
        x = torch.randn(32, 8)
        labels = x.argmax(1) if known else torch.from_numpy(rng.integers(0, 8, 32))
        loss = F.cross_entropy(0.01 * torch.tanh(net(x)), labels)
        assert abs(loss.item() - math.log(8)) < 0.02
        return loss

    net = nn.Linear(8, 8)
    nn.init.eye_(net.weight)
    opt = torch.optim.Adam(net.parameters(), 0.05)
    with parity.doctor({"net": net}, {"opt": opt}) as d:
        for _ in range(22):
            opt.zero_grad()
            loss = step(net)
            loss.backward()
            opt.step()
    assert known != ("loss-at-chance" in {found.id for found in d.findings})


def test_optimizers_are_found_without_a_look_at_everything(monkeypatch):
    """A list of all objects holds tuples that a loader's thread is making, and that thread then fails."""
    def fail():
        raise AssertionError

    monkeypatch.setattr(gc, "get_objects", fail)
    net = nn.Linear(3, 1)
    opt = torch.optim.SGD(net.parameters(), 0.1)
    with parity.doctor({"net": net}) as d:
        for _ in range(2):
            opt.zero_grad()
            net(torch.randn(4, 3)).square().mean().backward()
            opt.step()
    assert not d.findings and d.seen.steps == 2
