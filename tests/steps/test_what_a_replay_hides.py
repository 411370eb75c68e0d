"""A step that is judged alone is a replay: what a layer returns is the reference's there. A mistake of the twin's that moves no
gradient is found all the same, and values inside that are made in another way are no mistake."""

import paddle
import pytest
import torch

from parity import Training, differences, normal
from parity.steps.follow import follow
from tests.steps.plain import trainers


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(4, 6), torch.nn.Linear(6, 3)

    def forward(self, x):
        h = self.a(x)
        m = h.mean(1, keepdim=True)
        centred = h - m
        variance = (centred ** 2).mean(1, keepdim=True)
        return self.b(centred / torch.sqrt(variance + 1e-5))


class PaddleNet(paddle.nn.Layer):
    """Its variance is E[h^2] - m^2: another gradient comes back to `centred`, and no other to the weights."""

    def __init__(self):
        super().__init__()
        self.a, self.b = paddle.nn.Linear(4, 6), paddle.nn.Linear(6, 3)

    def forward(self, x):
        h = self.a(x)
        m = h.mean(1, keepdim=True)
        centred = h - m
        variance = (h * h).mean(1, keepdim=True) - m * m
        return self.b(centred / paddle.sqrt(variance + 1e-5))


class Shifted(PaddleNet):
    def forward(self, x):
        h = self.a(x)
        m = h.mean(1, keepdim=True)
        centred = h - m
        variance = (h * h).mean(1, keepdim=True) - m * m
        return self.b(centred / paddle.sqrt(variance + 1e-5)) + 0.125  # the mistake


class ShiftedInside(PaddleNet):
    def __init__(self):
        super().__init__()
        self.b = ShiftedLinear(6, 3)


class ShiftedLinear(paddle.nn.Linear):
    def forward(self, x):
        return super().forward(x) + 0.125  # the mistake


class ShiftedAndBack(PaddleNet):
    """What its layer adds is taken off again: in a replay, which has the reference's layer, both look wrong."""

    def __init__(self):
        super().__init__()
        self.b = ShiftedLinear(6, 3)

    def forward(self, x):
        return super().forward(x) - 0.125


def followed(twin, mode, lane="float64"):
    training = Training(*trainers(TorchNet, twin), batch=[normal(6, 4), normal(6, 3)])
    return follow(training.subject(), steps=2, mode=mode, lane=lane, differences=differences.ALL)


@pytest.mark.parametrize("lane", ["float64", "float32"])
@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("twin", [Shifted, ShiftedInside])
def test_what_is_added_is_found_at_its_line(twin, mode, lane):
    report = followed(twin, mode, lane).report
    assert report.diverged and "the mistake" in report.first.twin.text


@pytest.mark.parametrize("lane", ["float64", "float32"])
@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("twin", [PaddleNet, ShiftedAndBack])
def test_what_is_made_in_another_way_is_the_same(twin, mode, lane):
    report = followed(twin, mode, lane).report
    assert not report.diverged and not report.undecided
    assert report.uncompared or mode == "free"
