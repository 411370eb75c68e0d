"""Optimizers that nobody has handed over, that stand around one another, or that are made anew; target networks beside them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


class Climbing(torch.optim.Optimizer):
    """Sharpness-aware minimisation: a step up the gradient, and from there the step of another optimizer from where it began."""

    def __init__(self, parameters, inner, **options):
        super().__init__(parameters, {"rho": 0.05, **options})
        self.inner = inner(self.param_groups, **options)
        self.param_groups = self.inner.param_groups

    @torch.no_grad()
    def climb(self):
        self.before = [p.clone() for group in self.param_groups for p in group["params"]]
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=group["rho"])
        self.zero_grad()

    @torch.no_grad()
    def descend(self):
        for p, before in zip((p for group in self.param_groups for p in group["params"]), self.before, strict=True):
            p.copy_(before)
        self.inner.step()
        self.zero_grad()


def test_an_optimizer_around_another_is_none_that_is_never_stepped():
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    outer = Climbing(net.parameters(), torch.optim.SGD, lr=0.05, momentum=0.9)
    with parity.doctor(net, {"outer": outer, "inner": outer.inner}) as d:
        for _ in range(6):
            x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
            F.cross_entropy(net(x), y).backward()
            outer.climb()
            F.cross_entropy(net(x), y).backward()
            outer.descend()
    assert not d.findings and d.seen.iterations == 6


def test_what_was_not_handed_over_is_found_as_it_steps():
    one, other = nn.Linear(4, 4), nn.Linear(4, 1)
    first, second = torch.optim.SGD(one.parameters(), 0.01), torch.optim.SGD(other.parameters(), 0.01)
    stale = torch.optim.SGD(one.parameters(), 0.01)  # of an earlier training: it does not step, and nothing is said of it
    with parity.doctor([one, other], first) as d:
        for _ in range(3):
            loss = (other(one(torch.randn(8, 4))) - 1).square().mean()
            first.zero_grad()
            second.zero_grad()
            loss.backward()
            first.step()
            second.step()
    assert not d.findings and len(d.program.optimizers) == 2 and stale not in d.program.optimizers.values()


@pytest.mark.parametrize("anew", [True, False])
def test_an_optimizer_that_is_made_for_each_step(anew):
    net = nn.Linear(4, 1)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for _ in range(7):
            if anew:
                optimizer = torch.optim.Adam(net.parameters(), 0.01)
            loss = (net(torch.randn(8, 4)) - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert [found.id for found in d.findings][:1] == ["counter-stuck"] * anew
    assert not anew or "torch.optim.Adam(" in d.findings[0].site.text
    assert d.seen.iterations == 7


@pytest.mark.parametrize("reached", [True, False])
def test_a_network_that_only_lends_its_output(reached):
    """A target network that nobody has handed over, in train mode; a layer that should learn gets a gradient."""
    net = nn.Linear(4, 2)
    target = copy.deepcopy(net)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        for _ in range(3):
            x = torch.randn(8, 4)
            wanted = target(x) if reached else target(x).detach()
            loss = (net(x) - 1 - 0.9 * wanted).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert [found.id for found in d.findings] == ["network-unheld"] * reached
