"""What runs where nothing can be followed (threads, functions that are transformed), and what is kept where no model shows it (the
results of a function): what comes of it is judged all the same."""

import functools
from concurrent.futures import ThreadPoolExecutor

import paddle
import pytest
import torch

from parity.compare.results import Case
from parity.compare.runner import run
from parity.inputs import normal
from parity.port import Port

KEPT = {}


@functools.cache
def torch_mask(n):
    return torch.triu(torch.full((n, n), -1e4), diagonal=1)


def paddle_mask(n, diagonal):
    if (n, diagonal) not in KEPT:
        KEPT[n, diagonal] = paddle.triu(paddle.full((n, n), -1e4), diagonal=diagonal)
    return KEPT[n, diagonal]


class TorchNet(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.one, self.other = kind, torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)

    def scored(self, row):
        return torch.softmax(self.one(row), 0)

    def forward(self, x):
        if self.kind == "transformed":
            return torch.func.vmap(self.scored)(x) + self.other(x)
        if self.kind == "masked":
            return torch.softmax(self.one(x) + torch_mask(4), -1) @ self.other(x)
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(lambda layer: layer(x), (self.one, self.other))
        return one * other


class PaddleNet(paddle.nn.Layer):
    def __init__(self, kind, wrong):
        super().__init__()
        self.kind, self.wrong, self.one, self.other = kind, wrong, paddle.nn.Linear(4, 4), paddle.nn.Linear(4, 4)

    def forward(self, x):
        if self.kind == "transformed":
            return paddle.nn.functional.softmax(self.one(x), 0 if self.wrong else 1) + self.other(x)
        if self.kind == "masked":
            return paddle.nn.functional.softmax(self.one(x) + paddle_mask(4, 2 if self.wrong else 1), -1) @ self.other(x)
        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(lambda layer: layer(x), (self.one, self.other))
        return one * (one if self.wrong else other)


@pytest.mark.parametrize("kind", ["transformed", "masked", "threads"])
@pytest.mark.parametrize("wrong", [False, True])
def test_what_comes_of_it_is_judged(kind, wrong):
    port = Port(lambda: TorchNet(kind), lambda: PaddleNet(kind, wrong), inputs=[normal(4, 4)], modes=["eval"])
    for quick in (True, False):  # two lanes: what is kept of the first would be of another dtype
        [result] = run([Case(kind, "eval", port.subject("eval"))], lanes=("float64", "float32"), quick=quick)
        assert result.report.verdict == ("diverged" if wrong else "same"), result.report.first
