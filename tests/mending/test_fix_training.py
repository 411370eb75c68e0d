"""`parity fix --steps` as a user runs it: a training whose twin leaves a statement out, and the same put right."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")

TORCH = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return F.relu(self.head(x))


class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def step(self, x, y):
        loss = F.mse_loss(self.net(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss
"""
PADDLE = (TORCH.replace("torch.optim.SGD(self.net.parameters(), lr=0.1)",
                        "paddle.optimizer.SGD(0.1, parameters=self.net.parameters())")
          .replace("torch", "paddle").replace("nn.Module", "nn.Layer").replace("zero_grad", "clear_grad"))
PAIR = """
import net_paddle
import net_torch
from parity.inputs import normal
from parity.port import Port
from parity.training import Training

pair = Port(net_torch.Net, net_paddle.Net, inputs=[normal(4, 5)],
            training=Training(net_torch.Trainer, net_paddle.Trainer, batch=[normal(6, 5), normal(6, 4)]))
"""


def fixed(folder, twin):
    for name, text in {"net_torch": TORCH, "net_paddle": twin, "pair": PAIR}.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "parity", "fix", "pair.py", "--steps", "2", "--write", "--json", "fix.json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert (folder / "fix.json").exists(), done.stderr
    return done.returncode, json.loads((folder / "fix.json").read_text())


def test_gradients_that_are_not_cleared_are_cleared(tmp_path):
    """One forward and backward are the same: it is the second step that differs."""
    code, found = fixed(tmp_path, PADDLE.replace("        self.optimizer.clear_grad()\n", ""))
    assert code == 0 and found["verdict"] == "fixed" and found["proof"]["seeds"] == [1, 2], found["sentence"]
    text = (tmp_path / "net_paddle.py").read_text()
    assert text.count("self.optimizer.clear_grad()") == 1 and sorted(text.splitlines()) == sorted(PADDLE.splitlines())


def test_a_right_training_gets_no_patch(tmp_path):
    code, found = fixed(tmp_path, PADDLE)
    assert code == 0 and (found["verdict"], found["diff"], found["tried"]) == ("same", None, 0)
    assert (tmp_path / "net_paddle.py").read_text() == PADDLE
