"""A constant that one side makes in the default dtype and the other names float32: it is one number where both are used."""

import functools

import numpy as np
import paddle
import pytest
import torch

import parity
from parity import Port, compare, normal
from parity.declare.training import Training
from tests.steps.plain import trainers

CONSTANTS = {
    "full": lambda value: paddle.full([3], value, dtype="float32"),
    "an array of numpy's": lambda value: paddle.to_tensor(np.float32([value] * 3)),
    "a cast": lambda value: paddle.to_tensor([value] * 3).astype("float32"),
}


class Ours(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)

    def forward(self, x):
        shift = torch.full((3,), 0.1)
        y = self.fc(x) + shift
        return torch.tanh(y)


class Theirs(paddle.nn.Layer):
    def __init__(self, made="full", value=0.1, after=paddle.tanh):
        super().__init__()
        self.fc, self.made, self.value, self.after = paddle.nn.Linear(3, 3), CONSTANTS[made], value, after

    def forward(self, x):
        shift = self.made(self.value)
        y = self.fc(x) + shift
        return self.after(y)  # the line


def compared(*arguments, **options):
    return compare(Port(Ours, lambda: Theirs(*arguments, **options), inputs=[normal(2, 3)]), modes=["eval"], lanes=["float64"])


@pytest.mark.parametrize("made", CONSTANTS)
def test_a_constant_in_float32_is_the_same_and_it_is_said(made):
    found = compared(made)
    assert found.verdict == "same" and "rounded to float32" in " ".join(map(str, found.merged.remarks))


@pytest.mark.parametrize("value", [0.1 + 1e-6, 0.11])
def test_another_number_is_none(value):
    found = compared(value=value)
    assert found.verdict == "diverged" and found.merged.first.key.variable == "shift"
    assert "rounded to float32" not in " ".join(map(str, found.merged.remarks))


def test_a_mistake_behind_it_is_the_first_divergence():
    found = compared(after=paddle.nn.functional.sigmoid)
    assert found.verdict == "diverged" and found.merged.first.key.variable.startswith("output")


def test_what_is_cast_on_one_side_alone_is_no_constant():
    """In half precision it would matter; a program's own numbers are not rounded for another's sake."""
    class Narrow(Theirs):
        def forward(self, x):
            shift = paddle.full([3], 0.1)
            return paddle.tanh((self.fc(x).astype("float32") + shift).astype(x.dtype))

    found = compare(Port(Ours, Narrow, inputs=[normal(2, 3)]), modes=["eval"], lanes=["float64"])
    assert found.verdict == "diverged"


class OurShare(torch.nn.Module):
    def forward(self, x):
        most = x.argmax(1)
        share = torch.stack([(most == place).sum() / most.numel() for place in range(3)])
        return share.mean(), most


class TheirShare(paddle.nn.Layer):
    def __init__(self, of=None):
        super().__init__()
        self.of = of

    def forward(self, x):
        most = x.argmax(1)
        share = paddle.stack([(most == place).sum().astype("float32") / (self.of or most.numel()).astype("float32")
                              for place in range(3)])
        return share.mean(), most


@pytest.mark.parametrize("of", [None, 8])
def test_a_share_of_counts(of):
    """Of integers torch makes the default dtype, which is the lane's."""
    def twin():
        return TheirShare(None if of is None else paddle.to_tensor(of))

    found = compare(Port(OurShare, twin, inputs=[normal(7, 3)]), modes=["eval"], lanes=["float64"])
    assert found.verdict == ("same" if of is None else "diverged")


@pytest.mark.parametrize(("value", "verdict"), [(0.1, "same"), (0.1 + 1e-6, "diverged")])
def test_a_training_with_such_a_constant(value, verdict):
    training = Training(*trainers(Ours, functools.partial(Theirs, value=value)), [normal(4, 3), normal(4, 3)])
    found = parity.follow(training, steps=2)
    assert found.verdict == verdict
    assert ("rounded to float32" in " ".join(map(str, found.merged.remarks))) == (verdict == "same")
