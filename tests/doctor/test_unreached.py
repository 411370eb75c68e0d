"""What a network gives, held against its graph: layers that no gradient goes back to, nodes that do not react to each other."""

from __future__ import annotations

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
    np.random.seed(0)


def watched(net, opt, loss, clear="zero_grad"):
    with parity.doctor({"net": net}, {"opt": opt}) as d:
        for _ in range(2):
            getattr(opt, clear)()
            loss(net).backward()
            opt.step()
    return {found.id: found for found in d.findings}


def in_torch(net, loss):
    return watched(net, torch.optim.SGD(net.parameters(), 0.1), loss)


class Sampled(paddle.nn.Layer):
    def __init__(self, by):
        super().__init__()
        self.enc, self.dec, self.by = paddle.nn.Linear(4, 3), paddle.nn.Linear(3, 4), by

    def forward(self, x):
        mean = self.enc(x)
        if self.by == "numpy":
            z = paddle.to_tensor(np.random.normal(mean.numpy()).astype("float32"))
        elif self.by == "noise":
            z = mean + paddle.to_tensor(np.random.normal(size=mean.shape).astype("float32"))
        else:  # a probe of what is learned elsewhere, say
            z = mean.detach()
        return self.dec(z), mean


@pytest.mark.parametrize("by", ["numpy", "noise", "detach"])
def test_a_sample_that_numpy_draws(by):
    net, x = Sampled(by), paddle.randn([6, 4])

    def loss(net):
        back, mean = net(x)
        return (back - x).square().mean() + 0.1 * mean.square().mean()

    found = watched(net, paddle.optimizer.SGD(0.1, parameters=net.parameters()), loss, clear="clear_grad")
    assert (by == "numpy") == ("graph-cut" in found)
    assert by != "numpy" or ("np.random.normal(mean" in found["graph-cut"].site.text and "net.enc" in found["graph-cut"].message)


class Codes(nn.Module):
    def __init__(self, straight):
        super().__init__()
        self.enc, self.codes, self.dec, self.straight = nn.Linear(4, 3), nn.Embedding(5, 3), nn.Linear(3, 4), straight

    def forward(self, x):
        z = self.enc(x)
        index = torch.cdist(z, self.codes.weight).argmin(1)
        code = self.codes(index)
        commit = F.mse_loss(z, code.detach()) + F.mse_loss(code, z.detach())
        return self.dec(z + (code - z).detach() if self.straight else code), commit


@pytest.mark.parametrize("straight", [True, False])
def test_codes_that_let_no_gradient_through(straight):
    def loss(net):
        x = torch.randn(8, 4)
        back, commit = net(x)
        return F.mse_loss(back, x) + commit

    found = in_torch(Codes(straight), loss)
    assert straight != ("index-without-gradient" in found)
    assert straight or "self.codes(index)" in found["index-without-gradient"].site.text


class Graph(nn.Module):
    def __init__(self, end):
        super().__init__()
        self.own, self.others, self.end = nn.Linear(3, 4), nn.Linear(3, 4), end

    def forward(self, x, edges):
        source, target = edges
        total = torch.zeros_like(x).index_add(0, (source, target)[self.end], x[source])
        return self.own(x) + self.others(total)


EDGES = torch.tensor([[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 0, 3]])


@pytest.mark.parametrize("end", [0, 1])
def test_nodes_that_do_not_hear_their_neighbours(end):
    found = in_torch(Graph(end), lambda net: net(torch.randn(5, 3), EDGES).square().mean())
    assert (end == 0) == ("neighbours-ignored" in found)
    assert end or "index_add" in found["neighbours-ignored"].site.text


class Matrix(nn.Module):
    def __init__(self, used):
        super().__init__()
        self.layer, self.used = nn.Linear(3, 4), used

    def forward(self, matrix, x):
        return self.layer(matrix @ x if self.used else matrix.diagonal()[:, None] * x)


@pytest.mark.parametrize("used", [True, False])
def test_a_matrix_of_neighbours(used):
    matrix = torch.eye(5) + torch.roll(torch.eye(5), 1, 0)
    assert used != ("neighbours-ignored" in in_torch(Matrix(used), lambda net: net(matrix, torch.randn(5, 3)).square().mean()))
