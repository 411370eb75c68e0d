"""Layers that a program makes in its first forward: it is run once, where it is built, so that they have their partners."""

import paddle
import pytest
import torch

from parity import Port, compare, normal
from parity.declare.late import makes_layers


class Ours(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 3)
        self.fc = torch.nn.LazyLinear(4)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


class Late(paddle.nn.Layer):
    """As many write it: the linear layer is made when its width is known."""

    runs = 0

    def __init__(self, axis=1, fails=False):
        super().__init__()
        self.conv, self.fc = paddle.nn.Conv2D(2, 3, 3), None
        self.axis, self.fails = axis, fails

    def build(self, width):
        self.fc = paddle.nn.Linear(width, 4)

    def forward(self, x):
        Late.runs += 1
        y = paddle.nn.functional.relu(self.conv(x)).flatten(1)
        if self.axis == 2:
            y = paddle.nn.functional.relu(self.conv(x)).transpose([0, 2, 3, 1]).flatten(1)
        if self.fails:
            raise ValueError("of the twin's own")
        if self.fc is None:
            self.build(y.shape[1])
        return self.fc(y)


class Kept(paddle.nn.Layer):
    """What it keeps is no layer: it is compared as it was built."""

    def __init__(self):
        super().__init__()
        self.fc, self.last, self.seen = paddle.nn.Linear(4, 4), None, paddle.zeros([1])

    def forward(self, x):
        self.seen = self.seen + 1
        self.last = Seen(x)
        return self.fc(x) * self.seen


class Seen:
    def __init__(self, x):
        self.shape = x.shape


class Counting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.seen = torch.nn.Linear(4, 4), torch.zeros(1)

    def forward(self, x):
        self.seen = self.seen + 1
        return self.fc(x) * self.seen


@pytest.mark.parametrize("axis", [1, 2])
def test_a_layer_made_in_the_first_forward_has_its_partner(axis):
    found = compare(Port(Ours, lambda: Late(axis), inputs=[normal(2, 2, 6, 6)]), modes=["eval"], lanes=["float64"])
    assert found.verdict == ("same" if axis == 1 else "diverged")
    assert axis == 1 or found.merged.first.key.stage == "forward"


def test_what_raises_then_says_so_in_its_first_run():
    found = compare(Port(Ours, lambda: Late(fails=True), inputs=[normal(2, 2, 6, 6)]), modes=["eval"], lanes=["float64"])
    assert found.verdict == "diverged"


def test_what_makes_no_layer_is_as_it_was_built():
    assert compare(Port(Counting, Kept, inputs=[normal(2, 4)]), modes=["eval"], lanes=["float64"]).verdict == "same"


def test_only_what_is_set_outside_of_the_constructor_and_is_not_there_yet():
    late = Late()
    assert makes_layers([("", late)]) and makes_layers([("", Kept())])
    late.build(3)
    assert not makes_layers([("", late)]) and not makes_layers([("", Counting())]) and not makes_layers([("", Ours())])
    assert not makes_layers([("", torch.nn.Linear(2, 2))])
