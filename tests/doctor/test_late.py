"""A NaN that comes late: its iteration is run again for its line, and nothing is changed by that."""

from __future__ import annotations

import importlib
import random
import sys

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.doctor.examine import examine

LATE = """
import random
import numpy as np
{imports}

class Net(Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.drop, self.last = nn.Linear(8, 8), nn.{norm}(8), nn.Dropout(0.3), nn.Linear(8, 1)

    def forward(self, x):
        h = self.norm(self.first(x))
        scale = log(x[:, :1] + 6)
        h = self.drop(h * scale)
        return self.last(h)


def batches():
    rng = np.random.default_rng(0)
    for number in range(1, 99):
        x = rng.uniform(-1, 1, (16, 8)).astype("float32")
        if number == {bad}:
            x[3, 0] = -9
        yield tensor(x)


net, data, rng, count, taken = Net(), batches(), np.random.default_rng(1), 0, []
optimizer = adam(net.parameters())


def step():
    global count
    count += 1
    x = next(data)
    out = net(x)
    loss = (out - x.sum(1).reshape([-1, 1])).square().mean() * (1 + rng.random() + random.random())
    if count % 2:  # gradients of two iterations together
        clear(optimizer)
    loss.backward()
    if not count % 2 or count == {bad}:
        optimizer.step()
    taken.append(float(loss.detach()))
"""
IMPORTS = {
    "torch": """
import torch
from torch import log, nn, tensor
Module = nn.Module
adam = lambda parameters: torch.optim.Adam(parameters, 1e-3)
clear = lambda optimizer: optimizer.zero_grad()
""",
    "paddle": """
import paddle
from paddle import log, nn, to_tensor as tensor
Module = nn.Layer
adam = lambda parameters: paddle.optimizer.Adam(1e-3, parameters=parameters)
clear = lambda optimizer: optimizer.clear_grad()
""",
}
NORM = {"torch": "BatchNorm1d", "paddle": "BatchNorm1D"}


@pytest.fixture
def late(tmp_path, monkeypatch):
    """Writes and loads a training whose iteration `bad` makes a NaN, always with the same random numbers."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def load(name, framework, bad=7):
        (tmp_path / f"{name}.py").write_text(LATE.format(imports=IMPORTS[framework], norm=NORM[framework], bad=bad))
        importlib.invalidate_caches()
        random.seed(0)
        (torch.manual_seed if framework == "torch" else paddle.seed)(0)
        return importlib.import_module(name)

    return load


def state_of(module):
    """All that a training has come to, as bytes."""
    tensors = [value for _, value in sorted(module.net.state_dict().items())]
    tensors += [p.grad for p in module.net.parameters() if p.grad is not None]
    if hasattr(module, "torch"):
        tensors += [value for held in module.optimizer.state.values() for value in held.values()]
    else:
        tensors += [value for held in module.optimizer._accumulators.values() for value in held.values()]
    assert len(tensors) > 12
    return [*(tensor.detach().numpy().tobytes() for tensor in tensors), module.count, np.array(module.taken).tobytes(),
            module.rng.random(), random.random(), next(module.data).numpy().tobytes(),
            module.nn.functional.dropout(module.tensor(np.ones(99, "float32"))).numpy().tobytes()]


@pytest.mark.parametrize("framework", ["torch", "paddle"])
def test_a_nan_that_comes_late_is_placed_and_nothing_is_changed(late, framework):
    plain = late(f"late_plain_{framework}", framework)
    for _ in range(7):
        plain.step()
    expected = state_of(plain)
    watched = late(f"late_watched_{framework}", framework)
    data = watched.data
    said = examine(watched.step)
    assert (said.first.id, said.first.iteration, said.iterations) == ("nonfinite", 7, 7)
    assert said.first.site.text == "scale = log(x[:, :1] + 6)"
    assert watched.data is data
    assert state_of(watched) == expected and np.isnan(watched.taken[-1])


@pytest.mark.parametrize("framework", ["torch", "paddle"])
def test_where_no_nan_comes_nothing_is_repeated(late, framework, monkeypatch):
    def repeat(*args):
        raise AssertionError("repeated")
    monkeypatch.setattr("parity.doctor.alone._repeat", repeat)
    plain = late(f"healthy_plain_{framework}", framework, bad=0)
    for _ in range(20):
        plain.step()
    expected = state_of(plain)
    watched = late(f"healthy_watched_{framework}", framework, bad=0)
    said = examine(watched.step)
    assert not said.findings and said.iterations == 20
    assert state_of(watched) == expected


def test_a_nan_that_comes_late_in_a_loop(late):
    """The iteration cannot be run again: it is said that its line is not known, and how to get it."""
    said = {}
    for close in (2, 7):
        module = late(f"late_loop_{close}", "torch")
        with parity.doctor(module.net, module.optimizer, close=close) as d:
            for _ in range(9):
                d.mark()
                module.step()
        said[close] = d.diagnose().first
    assert said[2].id == said[7].id == "nonfinite" and said[2].iteration == said[7].iteration == 7
    assert "not known" in said[2].message and "close=7" in said[2].remedy
    assert said[7].site.text == "scale = log(x[:, :1] + 6)"


def test_without_the_memory_for_a_copy_nothing_is_repeated(late, monkeypatch):
    def copied(self, tensor):
        raise MemoryError
    module = late("late_without_memory", "torch")
    monkeypatch.setattr(type(parity.frameworks.of_model(module.net)), "copied", copied)
    said = examine(module.step)
    assert said.first.id == "nonfinite" and "not known" in said.first.message


@pytest.mark.parametrize(("value", "odd"), [("-inf", False), ("nan", True)])
def test_a_mask_is_no_reason_to_watch_closely(value, odd):
    net = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        for _ in range(4):
            d.mark()
            mask = torch.tensor([0, 0, float(value)])
            out = (net(torch.randn(5, 4)) + mask).softmax(-1).square().mean()
            optimizer.zero_grad()
            out.backward()
            optimizer.step()
    assert d._watch.iterations[-1].close is odd
