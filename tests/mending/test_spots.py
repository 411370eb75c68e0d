"""Where a fault is looked for that no line of a finding names."""

import os
from dataclasses import replace

import pytest

from parity.mending.candidates import spots, statement_at, with_bindings
from parity.mending.patches import Source
from parity.mending.search import Search
from parity.mending.trial import Outcome, Place
from parity.trace.source import Site

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")

TORCH = """import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(3))
class Trainer:
    def step(self, x):
        loss = self.net(x).mean()
        loss.backward()
        self.optimizer.step()
    def rate(self):
        return self.start * 0.5
"""
PADDLE = """import paddle
class Net(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.scale = paddle.ones([3])
class Trainer:
    def step(self, x):
        loss = self.net(x).mean()
        loss.backward()
        self.optimizer.step(); self.optimizer.step()
    def rate(self):
        return self.start * 0.5
"""


@pytest.fixture
def search(tmp_path):
    (tmp_path / "net_torch.py").write_text(TORCH)
    (tmp_path / "net_paddle.py").write_text(PADDLE)
    made = Search(lambda seed: None, budget=9)
    made._files = tuple(os.path.realpath(tmp_path / name) for name in ("net_paddle.py", "net_torch.py"))
    return made


def said(spots):
    return [spot.twin.segment(spot.statement) for spot in spots]


def test_what_a_whole_model_lacks_is_looked_for_where_the_reference_sets_it(search):
    assert "self.scale = paddle.ones([3])" in said(search._where_set("self.scale"))
    assert not said(search._where_set("self.shift"))


def test_an_update_is_looked_for_in_the_functions_that_make_it(search):
    found = said(search._in_the_steps())
    assert found.count("self.optimizer.step()") == 2 and "return self.start * 0.5" not in found


GATHERED = """from torch import nn
def halved(layer):
    return layer
class Net(nn.Module):
    def __init__(self):
        layers = [halved(nn.Linear(3, 3))]
        layers += [nn.ReLU()]
        self.net = nn.Sequential(*layers)
"""


def test_what_a_statement_gathers_is_made_in_those_before_it():
    source = Source("net.py", GATHERED)
    found = with_bindings(source, statement_at(source, 8))
    assert [source.segment(one) for one in found[1:]] == ["layers = [halved(nn.Linear(3, 3))]", "layers += [nn.ReLU()]"]
    assert with_bindings(source, statement_at(source, 6)) == [statement_at(source, 6)]


def test_what_a_parameter_is_given_of_its_own_is_looked_at_where_it_is_given(tmp_path):
    """Where an optimizer holds some parameters otherwise than others, and only then."""
    (tmp_path / "net_torch.py").write_text(TORCH)
    told = PADDLE.replace("self.scale = paddle.ones([3])",
                          "self.a = paddle.nn.Linear(3, 3, bias_attr=undecayed(torchs(3)), weight_attr=None)")
    (tmp_path / "net_paddle.py").write_text(told)
    made = Search(lambda seed: None, budget=1)
    made._files = tuple(os.path.realpath(tmp_path / name) for name in ("net_paddle.py", "net_torch.py"))
    place = Place("", None, None, None, "census", "weight_decay")
    of = {variable: [list(found) for _, found in made._spots([replace(place, variable=variable)])]
          for variable in ("weight_decay", "held")}
    assert ["self.a" in spot.twin.segment(spot.statement) for spot in of["weight_decay"][0]] == [True]
    assert not any(of["held"])


def test_what_is_read_is_looked_at_where_it_was_made():
    lines = ["def run(x, y):", "    a = x.transpose([1, 0])", "    b = y + 1", "    c = b + 1", "    d = c + 1",
             "    return a.reshape([3])"]
    twin, reference = (Source(f"{name}.py", f"import {name}\n" + "\n".join(lines) + "\n") for name in ("paddle", "torch"))
    found = [spot.statement.lineno for spot in spots(twin, Site(twin.file, 7), reference, Site(reference.file, 7))]
    assert found[0] == 7 and 3 in found and 4 not in found, "not what makes nothing of it"


@pytest.mark.parametrize("whole", ["same", "diverged"])
def test_what_the_whole_comparison_explains_is_nothing_to_mend(search, monkeypatch, whole):
    """A trial ends at the first value that is far off: in train mode that may be what dropout drew."""
    place = Place("far off", None, Site(search._files[0], 5), Site(search._files[1], 5), "forward", "scale", "of the scale", 1.0)
    asked = []

    def attempt(changes, *, proof=False, whole=False, **_):
        asked.append((bool(changes), whole))
        if whole and not changes:
            return Outcome(settled, "told", (0, 0, 1), places=(place,), files=search._files)
        return Outcome("diverged", "told", (0, 0, 1), places=(place,), files=search._files, far=True)

    settled = whole
    monkeypatch.setattr(search, "attempt", attempt)
    found = search.run()
    assert (found.verdict, found.tried > 0) == (("same", False) if whole == "same" else ("open", True))
    assert (False, True) in asked and not found.changes
