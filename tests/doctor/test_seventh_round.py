"""What the seventh blind round has shown: each fault with a healthy program that looks like it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def found(step, models, optimizers=None, iterations=4, **options):
    """id -> finding, of so many steps."""
    with parity.doctor(models, optimizers, **options) as d:
        for _ in range(iterations):
            step()
    return {finding.id: finding for finding in d.findings}


def line(finding):
    return finding.site.text.strip()


# --- closures, frozen parts, gradients that are rounding ------------------------------------------------------------------


@pytest.mark.parametrize("cleared", [True, False])
def test_a_closure_that_clears_nothing(cleared):
    net, x = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)), torch.linspace(0, 4, 32).unsqueeze(1)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=4)

    def closure():
        if cleared:
            optimizer.zero_grad()
        loss = F.mse_loss(net(x), x.cos())
        loss.backward()
        return loss

    with parity.doctor(net, optimizer, most=3) as d:  # and goes on where the watch has seen enough
        for _ in range(6):
            optimizer.step(closure)
    assert d.seen.iterations == d.seen.steps == 3
    assert not cleared or not d.findings
    assert cleared or (d.findings[0].id, line(d.findings[0])) == ("leftover-gradient", "loss.backward()")


@pytest.mark.parametrize(("frozen", "held"), [(True, True), (True, False), (False, False)])
def test_a_part_that_is_trained_later(frozen, held):
    body, head = nn.Sequential(nn.Linear(4, 8), nn.ReLU()), nn.Linear(8, 2)
    optimizer = torch.optim.SGD(head.parameters(), 0.01)
    body.requires_grad_(not frozen)

    def step():
        optimizer.zero_grad()
        head(body(torch.randn(8, 4))).square().mean().backward()
        optimizer.step()

    with parity.doctor(nn.Sequential(body, head), optimizer) as d:
        for _ in range(3):
            step()
    body.requires_grad_(True)  # the next phase
    other = torch.optim.SGD(body.parameters() if held else head.parameters(), 0.01)
    assert ("parameters-unheld" in {finding.id for finding in d.findings}) is not held, other


def test_a_pooler_that_never_runs_is_unusual_at_most():
    net = nn.ModuleDict({"pooler": nn.Linear(4, 4), "head": nn.Linear(4, 2)})
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step():
        optimizer.zero_grad()
        net["head"](torch.randn(8, 4)).square().mean().backward()
        optimizer.step()

    assert found(step, net, optimizer)["module-never-run"].severity == "warning"


@pytest.mark.parametrize("tiny", ["bias", "everything"])
def test_a_bias_whose_gradient_is_rounding_need_not_move(tiny):
    net, x = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)), torch.randn(512, 4)
    nn.init.constant_(net[0].bias, 0.5)
    optimizer = torch.optim.SGD(net.parameters(), 2e-3)
    if tiny == "everything":
        for p in net.parameters():
            p.register_hook(lambda gradient: gradient * 1e-12)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(net(x), torch.arange(512) % 2).backward()
        optimizer.step()

    assert ("unchanged" in found(step, net, optimizer)) is (tiny == "everything")
