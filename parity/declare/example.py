"""`parity init`: a small working pair and its test, to start from."""

from __future__ import annotations

from pathlib import Path

from parity.files import InputError, make_folder, write

TORCH = '''"""The PyTorch program. Put yours here, or import it in my_pair.py."""

import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, width=8, classes=5):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.hidden = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = F.gelu(self.conv(x))
        pooled = torch.mean(x, dim=(2, 3))
        hidden = torch.tanh(self.hidden(pooled))
        return self.head(hidden)


class Trainer:
    """One training step: networks and optimizers are attributes, `step` takes a batch and returns its loss."""

    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3)

    def step(self, pictures, labels):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.net(pictures), labels)
        loss.backward()
        self.optimizer.step()
        return loss
'''

PADDLE = '''"""Its port to Paddle."""

import paddle
from paddle import nn
from paddle.nn import functional as F


class Net(nn.Layer):
    def __init__(self, width=8, classes=5):
        super().__init__()
        self.conv = nn.Conv2D(3, width, 3, padding=1)
        self.fc = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = F.gelu(self.conv(x))
        pooled = paddle.mean(x, axis=[2, 3])
        hidden = paddle.tanh(self.fc(pooled))
        return self.head(hidden)


class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = paddle.optimizer.Adam(1e-3, parameters=self.net.parameters())

    def step(self, pictures, labels):
        loss = F.cross_entropy(self.net(pictures), labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss
'''

PAIR = '''"""What is compared: `parity compare my_pair.py`, and, in training, `parity steps my_pair.py`."""

import my_paddle
import my_torch

from parity.inputs import integers, normal
from parity.port import Port
from parity.training import Training

pair = Port(
    my_torch.Net,                     # builds the PyTorch module: a class, or a function without arguments
    my_paddle.Net,                    # builds the Paddle module
    inputs=[normal(2, 3, 32, 32)],    # one recipe for each argument: normal, uniform, integers(2, 16, high=100), an array
    names={"hidden": "fc"},           # which is which, where the names differ; leave it out to let it be guessed
    training=Training(my_torch.Trainer, my_paddle.Trainer, batch=[normal(4, 3, 32, 32), integers(4, high=5)]),
)
'''

TEST = '''"""pytest runs this: `pytest test_my_pair.py --parity-report=report`."""

from my_pair import pair


def test_the_port_is_the_same_computation(parity):
    parity(pair)


def test_it_trains_the_same(parity):
    parity.steps(pair, steps=3)
'''

FILES = {"my_torch.py": TORCH, "my_paddle.py": PADDLE, "my_pair.py": PAIR, "test_my_pair.py": TEST}


def begin(folder: str | Path) -> list[Path]:
    """Write the files; returns their paths. Raises InputError where one of them is there already: nothing is written then."""
    folder = Path(folder)
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise InputError(f"{folder}: expected none of {', '.join(FILES)}, found {', '.join(there)}; choose another folder")
    make_folder(folder, "to write into")
    for name, text in FILES.items():
        write(folder / name, text)
    return [folder / name for name in FILES]
