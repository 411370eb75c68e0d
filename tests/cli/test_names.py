"""`parity names`: the pairing as a map to edit, with near misses, and what is done with names."""

import json

import pytest

from parity.cli.main import main

NET = '''
import {0}
from {0} import nn


class Net(nn.{1}):
    def __init__(self):
        super().__init__()
        self.conv = nn.{2}(3, 8, 3)
        self.{3} = nn.{4}(8)
        self.{5} = nn.Linear(8, 4)

    def forward(self, x):
        return self.{5}(self.{3}(self.conv(x)).mean([2, 3]))
'''
PAIR = '''
import paddle_net, torch_net
from parity.inputs import normal
from parity.port import Port
from parity.training import Training


class Run:
    def __init__(self, net, optimizer):
        self.net, self.optimizer = net, optimizer

    def step(self, x):
        loss = self.net(x).mean()
        loss.backward()
        self.optimizer.step()
        return loss


def torch_run():
    import torch
    net = torch_net.Net()
    return Run(net, torch.optim.SGD(net.parameters(), lr=0.1))


def paddle_run():
    import paddle
    net = paddle_net.Net()
    return Run(net, paddle.optimizer.SGD(0.1, parameters=net.parameters()))


pair = Port(torch_net.Net, paddle_net.Net, inputs=[normal(2, 3, 6, 6)],
            training=Training(torch_run, paddle_run, batch=[normal(2, 3, 6, 6)]))
astray = Port(torch_net.Net, paddle_net.Net, inputs=[normal(2, 3, 6, 6)], names={"fcc": "head"}, training=pair.training)
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A pair of other names; `twin("InstanceNorm2D")` makes the norm another layer."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torch_net.py").write_text(NET.format("torch", "Module", "Conv2d", "norm0", "BatchNorm2d", "fc"))
    (tmp_path / "pair.py").write_text(PAIR)

    def twin(norm):
        (tmp_path / "paddle_net.py").write_text(NET.format("paddle", "Layer", "Conv2D", "_batch_norm", norm, "head"))

    twin("BatchNorm")
    return twin


def test_the_map_can_be_put_into_the_pair_file(folder, capsys):
    assert main(["names", "pair.py:pair"]) == 0
    printed = capsys.readouterr().out
    held = {}
    exec(printed, held)
    assert held["names"] == {"norm0": "_batch_norm", "fc": "head"}


def test_two_modules_need_no_inputs(folder, capsys):
    assert main(["names", "torch_net:Net", "paddle_net:Net", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["complete"] and not found["near_misses"]
    assert {(one["reference"], one["twin"], one["by"]) for one in found["modules"]} >= {
        ("conv", "conv", "equal names"), ("fc", "head", "layer type and shape")}
    assert {"reference": "fc.weight", "twin": "head.weight", "by": "layer type and shape", "what": "transpose"} in found["tensors"]


def test_what_has_no_partner_is_shown_with_what_is_near(folder, capsys):
    folder("InstanceNorm2D")
    assert main(["names", "pair.py:pair"]) == 1
    printed = capsys.readouterr().out
    assert "norm0 BatchNorm2d(8) ~ _batch_norm InstanceNorm2D(8): same shape, other type" in printed
    held = {}
    exec(printed, held)
    assert held["names"] == {"fc": "head"}


@pytest.mark.parametrize("command", ["names", "compare", "steps"])
def test_a_name_that_nobody_has_is_refused_everywhere(folder, capsys, command):
    assert main([command, "pair.py:astray"]) == 2
    said = capsys.readouterr().err
    assert "fcc" in said and "fault of parity" not in said


def test_near_names_are_told(folder, capsys):
    assert main(["names", "pair.py:pair", "--map", "fc=heat"]) == 2
    assert "did you mean head" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "why"), [("fc=head.weight", "name two modules or two tensors"),
                                           ("fc.weight=conv.weight", "cannot become")])
def test_what_cannot_be_a_pair_is_refused(folder, capsys, said, why):
    assert main(["names", "pair.py:pair", "--map", said]) == 2
    assert why in capsys.readouterr().err
