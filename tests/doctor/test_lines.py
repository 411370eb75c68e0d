"""Findings stand at the line that is to be changed: an argument of a call, where a target is cut out, at the checkpoint."""

from __future__ import annotations

import textwrap

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import parity
from parity.doctor.places import argument_site, slicing_site
from parity.trace.source import Site, attribute_site


def written(folder, text):
    (folder / "train.py").write_text(textwrap.dedent(text).lstrip())
    return str(folder / "train.py")


def test_an_argument_has_a_line_of_its_own(tmp_path):
    file = written(tmp_path, """
        opt = Adam(
            learning_rate=0.1,
            parameters=[p for p in net.parameters()])
    """)
    assert argument_site(Site(file, 1), ["lr", "learning_rate"]).line == 2
    assert argument_site(Site(file, 1), ["parameters"]).line == 3
    assert argument_site(Site(file, 1), ["weight_decay"]).line == 1  # it has none


DATA = """
    def batch(seq):
        return tensor(seq[:, :-1]), {targets}

    x, y = batch(data)
    loss = cross_entropy(net(x), y.reshape([-1]))
"""


@pytest.mark.parametrize(("targets", "line"), [("tensor(seq[:, :-1])", 2), ("tensor(seq)", None)])
def test_targets_are_cut_out_where_they_are_returned(tmp_path, targets, line):
    site = slicing_site(Site(written(tmp_path, DATA.format(targets=targets)), 5), 1)
    assert (site.line if site else None) == line


def test_a_class_of_a_script_is_found_by_its_methods(tmp_path):
    file = written(tmp_path, """
        class Net:
            def __init__(self):
                self.drop = 1
    """)
    names = {"__name__": "a module that nobody has imported"}
    exec(compile((tmp_path / "train.py").read_text(), file, "exec"), names)
    assert attribute_site(names["Net"](), "drop") == Site(file, 3)
    assert attribute_site(names["Net"](), "other") is None


class Checkpointed(nn.Module):
    def __init__(self, reentrant):
        super().__init__()
        self.first, self.last, self.reentrant = nn.Linear(3, 3), nn.Linear(3, 1), reentrant

    def forward(self, x):
        hidden = checkpoint(self.first, x, use_reentrant=self.reentrant)
        return self.last(hidden)


@pytest.mark.parametrize("reentrant", [True, False])
def test_gradients_that_a_checkpoint_switches_off(reentrant):
    net = Checkpointed(reentrant)
    opt = torch.optim.SGD(net.parameters(), 0.1)
    with parity.doctor({"net": net}, {"opt": opt}) as d:
        for _ in range(2):
            opt.zero_grad()
            net(torch.randn(4, 3)).square().mean().backward()
            opt.step()
    assert ["checkpoint(" in found.site.text for found in d.findings if found.id == "graph-cut"] == [True] * reentrant
