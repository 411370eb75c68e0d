"""What goes past the graph, in forward or backward: values written through `.data`, and gradients that are led straight through."""

import paddle
import pytest
import torch

import parity
from parity import Port
from parity.inputs import normal

t, p = torch.nn, paddle.nn


class TorchClamped(t.Module):
    def __init__(self):
        super().__init__()
        self.fc = t.Linear(6, 5)

    def forward(self, x):
        y = self.fc(x)
        y.data.clamp_(-0.2, 0.2)
        return y


class PaddleClamped(p.Layer):
    def __init__(self):
        super().__init__()
        self.fc = p.Linear(6, 5)

    def clamped(self, y):
        return y + (y.clip(-0.2, 0.2) - y).detach()

    def forward(self, x):
        y = self.fc(x)
        y = self.clamped(y)
        return y


class Unclamped(PaddleClamped):
    def clamped(self, y):
        return y


class TorchQuantized(t.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.codes, self.dec = t.Linear(6, 4), t.Embedding(9, 4), t.Linear(4, 6)

    def forward(self, x):
        z = self.enc(x)
        q = self.codes((z @ self.codes.weight.t()).argmax(1))
        loss = ((q - z.detach()) ** 2).mean() + 0.25 * ((z - q.detach()) ** 2).mean()
        q = z + (q - z).detach()
        return self.dec(q), loss


class PaddleQuantized(p.Layer):
    def __init__(self):
        super().__init__()
        self.enc, self.codes, self.dec = p.Linear(6, 4), p.Embedding(9, 4), p.Linear(4, 6)

    def through(self, z, q):
        return z + (q - z).detach()

    def forward(self, x):
        z = self.enc(x)
        q = self.codes((z @ self.codes.weight.t()).argmax(1))
        loss = ((q - z.detach()) ** 2).mean() + 0.25 * ((z - q.detach()) ** 2).mean()
        q = self.through(z, q)
        return self.dec(q), loss


class ToTheCodes(PaddleQuantized):
    """The gradient goes to the codes, not straight through to the encoder; the values are right, and `z - q` has another sign."""

    def through(self, z, q):
        return q + (z - q).detach() * 0


class WrittenOtherwise(PaddleQuantized):
    """The same, by a difference of another sign."""

    def through(self, z, q):
        return z - (z - q).detach()


def verdict(reference, twin):
    return parity.compare(Port(reference, twin, inputs=[normal(8, 6)], modes=["eval"]), quick=True)


def test_what_is_written_through_data_is_a_value():
    assert verdict(TorchClamped, PaddleClamped).verdict == "same"
    assert verdict(TorchClamped, Unclamped).verdict == "diverged"


def test_a_gradient_that_goes_another_way_is_no_kink():
    found = verdict(TorchQuantized, ToTheCodes)
    assert found.verdict == "diverged" and found.headline[1].key.stage == "gradients"


@pytest.mark.parametrize("twin", [PaddleQuantized, WrittenOtherwise])
def test_a_gradient_that_is_led_straight_through_is_the_same(twin):
    assert verdict(TorchQuantized, twin).verdict == "same"
