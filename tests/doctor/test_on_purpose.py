"""What is odd and meant so says nothing; what looks the same and is a mistake is told. From the sixth blind round."""

from __future__ import annotations

import copy
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from parity.doctor.script import diagnose_script
from parity.trace.source import SourceTree
from tests.doctor.trainings import ids

SILENT = SourceTree(Path(__file__).parent / "conftest.py")  # no user's file: its source says nothing


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def training(net, forward, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(net.parameters(), 1e-2)

    def step():
        optimizer.zero_grad()
        forward().square().mean().backward()
        optimizer.step()

    return net, optimizer, step


def test_all_data_at_once_where_nothing_speaks_of_batches():
    net, x = nn.Linear(4, 2), torch.randn(16, 4)
    assert not ids(*training(net, lambda: net(x)), iterations=4, source=SILENT)


@pytest.mark.parametrize(("frozen", "expected"), [(True, set()), (False, {"frozen-statistics"})])
def test_a_norm_that_stands_still_as_a_whole(frozen, expected):
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    net[1].eval().requires_grad_(not frozen)
    held = [p for p in net.parameters() if p.requires_grad]
    held = held if frozen else [p for p in held if p.ndim > 1]
    found = ids(*training(net, lambda: net(torch.randn(8, 4)), torch.optim.SGD(held, 1e-2)))
    assert found - {"parameters-unheld"} == expected


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, a, x):
        return torch.matmul(a, self.layer(x))


def test_nodes_react_to_each_other_where_the_matrix_comes_first():
    net = Graph()
    assert not ids(*training(net, lambda: net(torch.rand(6, 6), torch.randn(6, 4))))


class Tables(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places, self.head = nn.Embedding(9, 4), nn.Embedding(5, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.head((self.words(x) + self.places.weight).mean(1))


def test_the_whole_table_of_an_embedding_is_read():
    net = Tables()
    assert not ids(*training(net, lambda: net(torch.randint(0, 9, (8, 5)))))


@pytest.mark.parametrize(("how", "expected"), [
    ("adapted", set()), ("nobody optimizes it", {"network-unheld"}), ("in a list", {"module-unregistered"}),
])
def test_a_network_beside_those_that_are_known(how, expected):
    meta, x = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), torch.randn(5, 8, 4)
    outer = torch.optim.SGD(meta.parameters(), 1e-2)
    beside = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    layers, numbers = [nn.Linear(2, 2)], iter(range(99))
    forward = {"in a list": lambda y: layers[0](y), "nobody optimizes it": lambda y: beside(y), "adapted": lambda y: y}[how]

    def step():
        batch = x[next(numbers) % 5]
        if how == "adapted":
            fast = copy.deepcopy(meta)
            inner = torch.optim.SGD(fast.parameters(), 1e-2)
            fast(batch).square().mean().backward()
            inner.step()
        outer.zero_grad()
        forward(meta(batch)).square().mean().backward()
        outer.step()

    assert ids(meta, outer, step) == expected


@pytest.mark.parametrize(("lr", "expected"), [(5e-3, set()), (50.0, {"lr-too-large"})])
def test_the_first_steps_of_rmsprop_are_large(lr, expected):
    net = nn.Sequential(nn.Linear(2, 32), nn.Linear(32, 1))
    optimizer = torch.optim.RMSprop(net.parameters(), lr)

    def step():
        for _ in range(5 if lr < 1 else 1):
            optimizer.zero_grad()
            (net(torch.randn(16, 2)) - 1).square().mean().backward()
            optimizer.step()
            for p in net.parameters() if lr < 1 else ():
                p.data.clamp_(-0.1, 0.1)

    assert ids(net, optimizer, step) == expected


@pytest.mark.parametrize(("thaws", "expected"), [(True, set()), (False, {"parameters-without-gradient"})])
def test_what_is_frozen_while_it_is_watched_may_thaw(thaws, expected):
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    net[0].requires_grad_(not thaws)
    optimizer, numbers = torch.optim.SGD(net.parameters(), 1e-2), iter(range(99))

    def step():
        optimizer.zero_grad()
        hidden = net[0](torch.randn(8, 4))
        hidden = hidden if thaws else hidden.detach()
        net[2](net[1](hidden)).square().mean().backward()
        optimizer.step()
        net[0].requires_grad_(not thaws or next(numbers) == 2)

    assert ids(net, optimizer, step) == expected


CAUSAL = """
    import torch
    from torch import nn
    from torch.nn import functional as F
    torch.manual_seed(0)

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.head = nn.Embedding(9, 8), nn.Linear(8, 9)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            h = self.words(x)
            mask = MASK
            return self.head(self.attention(h, h, h, attn_mask=mask)[0])

    net = Reader()
    opt = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(3):
        x = torch.randint(0, 9, (16, 7))
        loss = F.cross_entropy(net(x[:, :-1]).reshape(-1, 9), x[:, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
"""


@pytest.mark.parametrize(("mask", "expected"), [
    ("torch.tril(torch.ones(6, 6))", ["sees-its-target"]), ("~torch.tril(torch.ones(6, 6)).bool()", []),
])
def test_a_loss_around_the_call_with_which_the_watch_begins(tmp_path, mask, expected):
    """Its function was looked up before the network was called: only from the next iteration on is it seen."""
    file = tmp_path / "train.py"
    file.write_text(textwrap.dedent(CAUSAL).replace("MASK", mask))
    assert [one.id for one in diagnose_script(str(file)).diagnosis.errors] == expected
