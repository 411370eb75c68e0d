"""What modules were told when they were built: where that is the cause, it is said, and placed at the line that decided on it."""

import paddle
import torch
from toys import between, numbers

from parity.compare.runner import compare_placing
from parity.declare.pair import Pair
from parity.trace.source import SourceTree

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__), names={})
WIDTH = 8
EPSILON = 2.0**-16  # Paddle keeps it in float32


def first(reference, twin, shape=(2, 5, WIDTH)):
    report = compare_placing(between(reference, twin, {"x": numbers(*shape)}, HERE), lanes=("float64",))
    return report.first


class TorchScaled(torch.nn.Module):
    def __init__(self, heads, scale):
        super().__init__()
        self.heads, self.fc = heads, torch.nn.Linear(WIDTH, WIDTH)
        self.scale = scale
        self.remark = "torch's"

    def forward(self, x):
        x = self.fc(x)
        x = x.unflatten(-1, (self.heads, -1)).softmax(-1).flatten(-2)
        return x * self.scale


class PaddleScaled(paddle.nn.Layer):
    def __init__(self, heads, scale, factor=1.0):
        super().__init__()
        self.heads, self.fc = heads, paddle.nn.Linear(WIDTH, WIDTH)
        self.scale = scale
        self.factor = factor
        self.remark = "paddle's"

    def forward(self, x):
        x = self.fc(x)
        x = paddle.nn.functional.softmax(x.reshape([*x.shape[:-1], self.heads, -1]), -1).flatten(-2)
        return x * self.scale * self.factor


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = TorchScaled(heads=2, scale=0.5)
        self.last = torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.last(self.inner(x))


class PaddleNet(paddle.nn.Layer):
    def __init__(self, heads=2, factor=1.0):
        super().__init__()
        self.inner = PaddleScaled(
            heads=heads,
            scale=0.5,
            factor=factor)
        self.last = paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.last(self.inner(x))


class OneHead(PaddleNet):
    def __init__(self):
        super().__init__()
        self.inner = PaddleScaled(
            scale=0.5,
            heads=1)


class Wrong(PaddleScaled):
    def __init__(self, heads, scale):
        super().__init__(heads, scale)
        self.scale = scale * 1.5


class WrongInside(PaddleNet):
    def __init__(self):
        super().__init__()
        self.inner = Wrong(2, 0.5)


def test_the_same_settings_and_the_same_values_are_the_same():
    assert first(TorchNet, PaddleNet) is None


def test_a_setting_that_was_handed_down_is_placed_where_it_was_written():
    found = first(TorchNet, OneHead)
    assert found.cause == "heads is 1 in the twin, 2 in the reference"
    assert found.twin.text == "heads=1)"


def test_a_setting_that_was_computed_is_placed_where_it_is_kept():
    found = first(TorchNet, WrongInside)
    assert found.cause == "scale is 0.75 in the twin, 0.5 in the reference"
    assert found.twin.text == "self.scale = scale * 1.5"


def test_a_setting_that_only_one_side_has_and_one_that_the_line_does_not_read_are_no_cause():
    found = first(TorchNet, lambda: PaddleNet(factor=2.0))
    assert found.twin.text == "return x * self.scale * self.factor" and "is" not in (found.cause or "").split("'")[-1]


class TorchNormed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(WIDTH, eps=EPSILON)

    def forward(self, x):
        return self.norm(x)


class PaddleNormed(paddle.nn.Layer):
    def __init__(self, epsilon=EPSILON):
        super().__init__()
        self.norm = paddle.nn.LayerNorm(WIDTH, epsilon=epsilon)

    def forward(self, x):
        return self.norm(x)


class OwnNorm(paddle.nn.LayerNorm):
    def __init__(self, width):
        super().__init__(
            width,
            epsilon=2.0**-11)

    def forward(self, x):
        return super().forward(x)


class OwnNormed(PaddleNormed):
    def __init__(self):
        super().__init__()
        self.norm = OwnNorm(WIDTH)


def test_the_epsilon_of_a_layer_is_a_cause():
    assert first(TorchNormed, PaddleNormed) is None
    found = first(TorchNormed, lambda: PaddleNormed(2.0**-11))
    assert found.cause == "epsilon is 0.000488281 in the twin, 1.52588e-05 in the reference"
    assert found.twin.text == "self.norm = paddle.nn.LayerNorm(WIDTH, epsilon=epsilon)"


def test_what_a_class_of_ones_own_tells_the_layer_is_placed_there():
    assert first(TorchNormed, OwnNormed).twin.text == "epsilon=2.0**-11)"


class TorchBlock(torch.nn.Module):
    """In a container, and with no partner of its own: the twin's keeps its layers flat."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH))
        self.act = torch.nn.GELU()

    def forward(self, x):
        h = self.act(self.inner(x))
        return x + h


class TorchBlocks(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.Sequential(TorchBlock(), torch.nn.Linear(WIDTH, WIDTH))

    def forward(self, x):
        return self.blocks(x)


class PaddleBlock(paddle.nn.Layer):
    def __init__(self, sign=1.0):
        super().__init__()
        self.inner = paddle.nn.Linear(WIDTH, WIDTH)
        self.act = self.activation()
        self.turned = sign < 0

    def activation(self):
        return paddle.nn.GELU()

    def forward(self, x):
        h = self.inner(x)
        h = self.act(h)
        if self.turned:
            x = x - h
            return x
        x = x + h
        return x


class Rectified(PaddleBlock):
    def __init__(self):
        super().__init__()
        self.act = paddle.nn.ReLU()

    def forward(self, x):
        h = self.inner(x)
        h = self.act(h)
        x = x + h
        return x


class PaddleBlocks(paddle.nn.Layer):
    def __init__(self, block=PaddleBlock):
        super().__init__()
        self.blocks = paddle.nn.Sequential(block(), paddle.nn.Linear(WIDTH, WIDTH))

    def forward(self, x):
        return self.blocks(x)


def test_what_a_module_without_a_partner_computes_in_a_container_is_seen():
    assert first(TorchBlocks, PaddleBlocks) is None
    found = first(TorchBlocks, lambda: PaddleBlocks(lambda: PaddleBlock(-1.0)))
    assert found.twin.text == "x = x - h" and "the reference has add there" in found.cause


def test_a_layer_that_an_object_keeps_is_placed_where_it_is_kept():
    found = first(TorchBlocks, lambda: PaddleBlocks(Rectified))
    assert found.twin.text == "self.act = paddle.nn.ReLU()" and "the twin has relu there" in found.cause


class TorchHeads(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        x = x * 2
        return self.one(x[:, 0]) + self.other(x[:, 1])


class PaddleHeads(paddle.nn.Layer):
    def __init__(self, first=0):
        super().__init__()
        self.one, self.other = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Linear(WIDTH, WIDTH)
        self.first = first

    def parts(self, x):
        x = x * 2
        return x[:, self.first], x[:, 1]

    def forward(self, x):
        x, y = self.parts(x)
        return self.one(x) + self.other(y)


def test_a_value_that_went_wrong_is_placed_where_it_was_made_first():
    assert first(TorchHeads, PaddleHeads) is None
    assert first(TorchHeads, lambda: PaddleHeads(-1)).twin.text == "return x[:, self.first], x[:, 1]"
