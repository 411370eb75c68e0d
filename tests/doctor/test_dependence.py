"""What the dependence probes show: examples that react to one another, outputs that see their target or cannot; healthy twins."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity


def watched(step, models, optimizers, iterations=2):
    with parity.doctor(models, optimizers) as d:
        for _ in range(iterations):
            step()
    return {found.id: found for found in d.findings}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    paddle.seed(0)


def stepping(net, loss):
    opt = torch.optim.SGD(net.parameters(), 0.1)

    def step():
        opt.zero_grad()
        loss(net).backward()
        opt.step()

    return watched(step, {"net": net}, {"opt": opt})


# --- rows of the batch ------------------------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """[N, T, 3] -> the last position -> [N, 2]."""

    def __init__(self, batch_first):
        super().__init__()
        self.rnn = nn.LSTM(3, 8, batch_first=batch_first)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


class Attending(nn.Module):
    def __init__(self, batch_first):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=batch_first)
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.layer(torch.cat([x, x[..., :1]], -1)).mean(1))


@pytest.mark.parametrize("kind", [Recurrent, Attending])
def test_a_layer_that_takes_the_examples_for_a_sequence(kind):
    def loss(net):
        return net(torch.randn(6, 5, 3)).square().mean()

    found = stepping(kind(False), loss)["rows-mixed"]
    assert found.severity == "error" and ("nn.LSTM(" in found.site.text or "nn.TransformerEncoderLayer(" in found.site.text)
    assert "rows-mixed" not in stepping(kind(True), loss)


class Viewed(nn.Module):
    """[N, T, 3], brought to the time-major order by a transposition, or by a view that only looks like one."""

    def __init__(self, right):
        super().__init__()
        self.rnn, self.right = nn.GRU(3, 8), right
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        x = x.transpose(0, 1) if self.right else x.contiguous().view(x.shape[1], x.shape[0], -1)
        return self.out(self.rnn(x)[0][-1])


def test_a_view_in_the_place_of_a_transposition():
    def loss(net):
        return net(torch.randn(7, 5, 3)).square().mean()

    found = stepping(Viewed(False), loss)["rows-mixed"]
    assert found.severity == "warning" and ".view(" in found.site.text
    assert "rows-mixed" not in stepping(Viewed(True), loss)


class Tagger(nn.Module):
    """One sentence at a time, time first: the first axis is no batch."""

    def __init__(self):
        super().__init__()
        self.words, self.rnn, self.out = nn.Embedding(9, 4), nn.LSTM(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.rnn(self.words(x).view(len(x), 1, -1))[0].view(len(x), -1))


class TimeMajor(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.norm, self.out = nn.LSTM(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.norm(self.rnn(x)[0].flatten(0, 1)))


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 2)

    def forward(self, x, near):
        return near @ self.out(x)


class Pairs(nn.Module):
    """All against all, as CLIP does."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(3, 4), nn.Linear(3, 4)

    def forward(self, x, y):
        return self.one(x) @ self.other(y).t()


@pytest.mark.parametrize(("kind", "inputs"), [
    (Tagger, lambda: [torch.randint(0, 9, (6,))]), (TimeMajor, lambda: [torch.randn(5, 6, 3)]),
    (Graph, lambda: [torch.randn(6, 3), torch.rand(6, 6)]), (Pairs, lambda: [torch.randn(6, 3), torch.randn(6, 3)])])
def test_what_may_depend_on_other_rows(kind, inputs):
    assert "rows-mixed" not in stepping(kind(), lambda net: net(*inputs()).square().mean())


@pytest.mark.parametrize("time_major", [True, False])
def test_paddle(time_major):
    net = paddle.nn.LSTM(3, 8, time_major=time_major)
    opt = paddle.optimizer.AdamW(0.01, parameters=net.parameters())

    def step():
        net(paddle.randn([6, 5, 3]))[0][:, -1].square().mean().backward()
        opt.step()
        opt.clear_grad()

    class Net(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.rnn = net

        def forward(self, x):
            return self.rnn(x)[0][:, -1]

    whole = Net()

    def step_of_whole():
        whole(paddle.randn([6, 5, 3])).square().mean().backward()
        opt.step()
        opt.clear_grad()

    assert ("rows-mixed" in watched(step_of_whole, {"net": whole}, {"opt": opt})) is time_major


# --- positions --------------------------------------------------------------------------------------------------------------


class Language(nn.Module):
    def __init__(self, causal):
        super().__init__()
        self.words, self.out, self.causal = nn.Embedding(50, 8), nn.Linear(8, 50), causal
        self.places = nn.Parameter(torch.randn(12, 8) * 0.1)

    def forward(self, x):
        h = self.words(x) + self.places[:x.shape[1]]
        scores = h @ h.transpose(1, 2)
        if self.causal:
            scores = scores + torch.triu(torch.full(scores.shape[1:], -torch.inf), 1)
        h = h + scores.softmax(-1) @ h
        return self.out(h)


def guessing(shift, within=False):
    """The loss of the next token: targets shifted by the loader, or where the loss is taken."""
    def loss(net):
        x = torch.randint(0, 50, (4, 12))
        if within:
            return F.cross_entropy(net(x)[:, :-1].reshape(-1, 50), x[:, 1:].reshape(-1))
        inputs, targets = (x[:, :-1], x[:, 1:]) if shift else (x, x)
        return F.cross_entropy(net(inputs).view(-1, 50), targets.reshape(-1))
    return loss


def test_a_language_model_that_looks_ahead():
    found = stepping(Language(False), guessing(True))["sees-its-target"]
    assert "softmax" in found.site.text and found.severity == "error"
    assert "sees-its-target" in stepping(Language(False), guessing(False, within=True))
    for loss in (guessing(True), guessing(False, within=True)):
        found = stepping(Language(True), loss)
        assert not {"sees-its-target", "target-not-shifted", "target-out-of-sight", "rows-mixed"} & set(found)


def test_targets_that_are_not_shifted():
    found = stepping(Language(True), guessing(False))["target-not-shifted"]
    assert "inputs, targets = " in found.site.text
    assert "target-not-shifted" not in stepping(Language(False), guessing(False))  # an autoencoder, perhaps


def reversing(net):
    x = torch.randint(0, 50, (4, 12))
    return F.cross_entropy(net(x).transpose(1, 2), x.flip(1))


def test_a_causal_mask_in_a_task_that_needs_both_sides():
    found = stepping(Language(True), reversing)["target-out-of-sight"]
    assert "triu" in found.site.text
    assert "target-out-of-sight" not in stepping(Language(False), reversing)


# --- nothing is changed -----------------------------------------------------------------------------------------------------


class Remembering(nn.Module):
    """Keeps things of its calls, prints, draws, and moves statistics in its own way."""

    def __init__(self):
        super().__init__()
        self.rnn, self.norm, self.drop = nn.GRU(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)
        self.seen, self.count, self.state = [], 0, None
        self.register_buffer("level", torch.zeros(1))

    def forward(self, x):
        self.count += 1
        self.seen.append(float(x.sum()))
        self.level += 1
        print("called", self.count)
        x = x + 0.1 * torch.randn(x.shape) + 0.1 * float(np.random.rand())
        h = self.rnn(x, None if self.state is None else self.state.detach())[0]
        self.state = h[-1:]
        return self.drop(self.norm(h.flatten(0, 1))) * self.level


def test_a_probed_training_is_the_same_to_the_bit(capsys):
    def training(watch):
        torch.manual_seed(0)
        np.random.seed(0)
        net = Remembering()
        opt = torch.optim.Adam(net.parameters(), 0.01)
        losses = []
        d = parity.doctor(net, opt)
        if watch:
            d.start(None)
        for _ in range(3):
            loss = net(torch.randn(5, 6, 3)).square().mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        if watch:
            d.stop()
            assert d._watch.failure is None
        return losses, net.seen, net.count, net.level.item(), capsys.readouterr().out, [p.tolist() for p in net.parameters()]

    assert training(True) == training(False)
