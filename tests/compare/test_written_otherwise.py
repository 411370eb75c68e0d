"""A twin organised in another way, and right: where it goes wrong, the place is the mistake's, not where it is organised so."""

import inspect

import paddle
import torch

from parity.compare.ladder import compare
from parity.inputs import normal
from parity.port import Port

t, p = torch.nn, paddle.nn


class TorchAttention(t.Module):
    """It is given its mask."""

    def __init__(self):
        super().__init__()
        self.query, self.key = t.Linear(4, 4), t.Linear(4, 4)

    def forward(self, x, mask=None):
        scores = self.query(x) @ self.key(x).transpose(1, 2)
        scores = scores + mask
        return scores.softmax(-1) @ x


class TorchNet(t.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.attention, self.leave = t.Linear(4, 4), TorchAttention(), t.Linear(4, 2)

    def forward(self, x):
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), -1e4), diagonal=1)
        entered = self.enter(x)
        attended = self.attention(entered, mask)
        return self.leave(attended)


class PaddleMask(p.Layer):
    """A layer without weights, which the reference has not."""

    def forward(self, x):
        return paddle.triu(paddle.full((x.shape[1], x.shape[1]), -1e4), diagonal=1)


class PaddleAttention(p.Layer):
    """It makes its mask, and returns its scores as well."""

    def __init__(self, factor):
        super().__init__()
        self.query, self.key, self.mask, self.factor = p.Linear(4, 4), p.Linear(4, 4), PaddleMask(), factor

    def forward(self, x):
        hidden = self.mask(x)
        scores = self.query(x) @ self.key(x).transpose([0, 2, 1])
        scores = scores + hidden
        return p.functional.softmax(scores, -1) @ x * self.factor, scores


class PaddleNet(p.Layer):
    def __init__(self, entering=1.0, attending=1.0):
        super().__init__()
        self.enter, self.attention, self.leave = p.Linear(4, 4), PaddleAttention(attending), p.Linear(4, 2)
        self.entering = entering

    def forward(self, x):
        entered = self.enter(x) * self.entering
        attended, _ = self.attention(entered)
        return self.leave(attended)


def judged(**wrong):
    return compare(Port(TorchNet, lambda: PaddleNet(**wrong), inputs=[normal(2, 3, 4)]).subject("eval"), lanes=["float64"], draws=3)


def line_of(kind, text):
    lines, start = inspect.getsourcelines(kind)
    return start + next(number for number, line in enumerate(lines) if text in line)


def test_a_healthy_one_is_the_same():
    assert judged().verdict == "same"


def test_its_mistakes_are_where_they_were_made():
    first = judged(entering=1.01).first
    assert (first.key.module, first.twin.line) == ("TorchNet", line_of(PaddleNet, "entered = self.enter"))
    first = judged(attending=1.01).first
    assert (first.key.module, first.key.variable) == ("TorchNet.attention", "output")
    assert first.twin.line == line_of(PaddleAttention, "return p.functional")
