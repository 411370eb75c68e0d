"""`parity fix` as a user runs it: a right port, one that a line mends, one that nothing mends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each trial is a fork")

TORCH = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 5)
        self.b = nn.Linear(5, 5)

    def forward(self, x):
        h = F.leaky_relu(self.a(x), 0.2)
        h = h + self.b(h)
        return F.softmax(h, dim=1)
"""
PADDLE = """
import paddle
import paddle.nn as nn
import paddle.nn.functional as F


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 5)
        self.b = nn.Linear(5, 5)

    def forward(self, x):
        h = F.leaky_relu(self.a(x), 0.2)
        h = h + self.b(h)
        return F.softmax(h, axis=1)
"""


def fixed(folder, twin, *options, reference=TORCH):
    (folder / "net_torch.py").write_text(reference)
    (folder / "net_paddle.py").write_text(twin)
    command = [sys.executable, "-m", "parity", "fix", "net_torch.py:Net", "net_paddle.py:Net", "--input", "3,6", "--json",
               "fix.json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([*command, *options], cwd=folder, env=environment, capture_output=True, text=True)
    assert (folder / "fix.json").exists(), done.stderr
    return done, json.loads((folder / "fix.json").read_text())


def test_a_right_port_gets_no_patch(tmp_path):
    done, found = fixed(tmp_path, PADDLE)
    assert done.returncode == 0 and (found["verdict"], found["diff"], found["tried"]) == ("same", None, 0)


def test_two_faults_are_mended_proven_and_written(tmp_path):
    """The second shows only once the first is mended; the patch is the right port again, and git takes it."""
    wrong = PADDLE.replace("self.a(x), 0.2", "self.a(x)").replace("axis=1", "axis=0")
    done, found = fixed(tmp_path, wrong, "--write")
    assert done.returncode == 0 and found["verdict"] == "fixed" and len(found["changes"]) == 2, done.stderr
    assert found["proof"]["seeds"] == [1, 2] and len(found["proof"]["without"]) == 2
    assert all("iverged" in without for without in found["proof"]["without"])
    assert done.stdout == found["diff"] and "Proven: with these 2 changes" in done.stderr
    assert (tmp_path / "net_paddle.py").read_text() == PADDLE
    (tmp_path / "net_paddle.py").write_text(wrong)
    subprocess.run(["git", "apply", "-"], input=done.stdout, text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "net_paddle.py").read_text() == PADDLE


def test_what_nothing_mends_is_said_and_left_alone(tmp_path):
    wrong, theirs = PADDLE.replace("h + self.b(h)", "paddle.sin(h)"), TORCH.replace("h + self.b(h)", "torch.special.bessel_j0(h)")
    done, found = fixed(tmp_path, wrong, "--write", "--budget", "4", reference=theirs)
    assert done.returncode == 1 and found["verdict"] in ("open", "partly") and found["tried"] > 0
    assert (tmp_path / "net_paddle.py").read_text() == wrong and not done.stdout
    assert not any(change["new"].strip() == "" for change in found["changes"])  # to leave the value out mends nothing
    assert "were tried" in done.stderr
