"""Inputs without anything in them, steps that move nothing, parameters that stand still, targets with a graph; healthy twins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def trained(net, optimizer, loss, iterations=4):
    with parity.doctor(net, optimizer) as d:
        for _ in range(iterations):
            optimizer.zero_grad()
            loss(net).backward()
            optimizer.step()
    return {found.id: found for found in d.findings}


def classifier():
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))


def divided(net):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 16)).astype(np.uint8)
    x = torch.tensor(pixels // 255, dtype=torch.float32)
    return F.cross_entropy(net(x), torch.arange(8) % 4)


def scaled(net):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 16)).astype(np.uint8)
    x = torch.tensor(pixels / 255, dtype=torch.float32)
    return F.cross_entropy(net(x), torch.arange(8) % 4)


def shared(net):
    x = torch.stack([torch.randn(16)] * 8)
    return F.cross_entropy(net(x), torch.arange(8) % 4)


def test_inputs_that_are_the_same_for_all_examples():
    found = trained(net := classifier(), torch.optim.Adam(net.parameters(), 1e-3), divided)
    assert list(found) == ["input-constant"] and "0 throughout" in found["input-constant"].message
    assert "// 255" in found["input-constant"].site.text and "features-constant" in found["input-constant"].evidence
    found = trained(net := classifier(), torch.optim.Adam(net.parameters(), 1e-3), shared)
    assert "the same" in found["input-constant"].message
    found = trained(net := classifier(), torch.optim.Adam(net.parameters(), 1e-3), scaled)
    assert "input-constant" not in found


@pytest.mark.parametrize(("kind", "lr", "ill"), [(torch.optim.SGD, 1e-7, True), (torch.optim.Adam, 1e-8, True),
                                                 (torch.optim.SGD, 1e-2, False), (torch.optim.Adam, 1e-5, False)])
def test_steps_that_move_nothing(kind, lr, ill):
    net = classifier()
    found = trained(net, kind(net.parameters(), lr), scaled)
    assert ("lr-too-small" in found) is ill and ("unchanged" not in found)


def test_a_warm_up_begins_with_small_steps():
    net = classifier()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda number: (number + 1) * 1e-5)

    def loss(net):
        scheduler.step()
        return scaled(net)

    assert "lr-too-small" not in trained(net, optimizer, loss)


@pytest.mark.parametrize("forgotten", [True, False])
def test_parameters_that_were_frozen_for_anothers_turn(forgotten):
    net = classifier()
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for number in range(12):
            if not forgotten:
                net[0].requires_grad_(True)
            loss = scaled(net) + number * 0
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            for p in net[0].parameters():
                p.requires_grad = number < 1
    found = {found.id: found for found in d.findings}
    assert ("frozen-parameters" in found) is forgotten
    assert not forgotten or "until iteration 2," in found["frozen-parameters"].message


@pytest.mark.parametrize("detached", [True, False])
def test_a_target_that_has_a_graph(detached):
    net = nn.Linear(16, 1)

    def loss(net):
        target = torch.randn(8, 1) + 0.9 * net(torch.randn(8, 16))
        if detached:
            target = target.detach()
        return F.mse_loss(net(torch.randn(8, 16)), target)

    found = trained(net, torch.optim.SGD(net.parameters(), 0.01), loss)
    assert set(found) == (set() if detached else {"target-with-graph"})
    assert detached or "target = torch.randn" in found["target-with-graph"].site.text


# --- on the way to the loss -------------------------------------------------------------------------------------------------


def penalty(net, x, create):
    slope = torch.autograd.grad(net(x).sum(), x, create_graph=create, retain_graph=True)[0]
    return (slope.norm(dim=1) - 1).square().mean()


@pytest.mark.parametrize("create", [True, False])
def test_a_term_that_a_function_of_the_users_gives(create):
    net = nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1))

    def loss(net):
        total = net(torch.randn(8, 16)).mean() + 10 * penalty(net, torch.randn(8, 16, requires_grad=True), create)
        return total

    found = trained(net, torch.optim.SGD(net.parameters(), 0.01), loss)
    assert ("term-without-graph" in found) is not create
    assert create or "autograd.grad" in found["term-without-graph"].site.text


class Cut(nn.Module):
    def __init__(self, cut):
        super().__init__()
        self.body, self.head, self.cut = nn.Linear(16, 8), nn.Linear(8, 4), cut

    def forward(self, x):
        if self.cut:
            return self.head(torch.stack([row.detach() for row in self.body(x)]))
        return self.head(torch.stack(list(self.body(x))))


@pytest.mark.parametrize("cut", [True, False])
def test_a_cut_within_an_expression(cut):
    found = trained(net := Cut(cut), torch.optim.SGD(net.parameters(), 0.01), scaled)
    assert ("graph-cut" in found) is cut and (not cut or ".detach()" in found["graph-cut"].site.text)


@pytest.mark.parametrize("broken", [True, False])
def test_a_scaler_that_skips_every_step(broken):
    net, scaler = nn.Linear(16, 4), torch.amp.GradScaler("cpu")
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for _ in range(12):
            optimizer.zero_grad()
            loss = scaled(net) + (torch.sqrt(0 * net.weight[0, 0] ** 2) if broken else 0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    ids = {found.id for found in d.findings}
    assert d.seen.iterations == 12 and ("scaler-skips" in ids) is broken and "never-stepped" not in ids
