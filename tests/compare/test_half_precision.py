"""A cast to half precision, or autocast, that one side alone has is a finding in either lane, and in each direction."""

import paddle
import pytest
import torch

from parity.compare.ladder import compare, glance
from parity.compare.runner import compare_placing
from parity.differences import explain
from parity.differences.casts import BFLOAT16_CAST
from parity.inputs import normal
from parity.port import Port


class Torch(torch.nn.Module):
    def __init__(self, between):
        super().__init__()
        self.first, self.last, self.between = torch.nn.Linear(6, 8), torch.nn.Linear(8, 3), between

    def forward(self, x):
        return self.last(self.between(self.first, x))


class Paddle(paddle.nn.Layer):
    def __init__(self, between):
        super().__init__()
        self.first, self.last, self.between = paddle.nn.Linear(6, 8), paddle.nn.Linear(8, 3), between

    def forward(self, x):
        return self.last(self.between(self.first, x))


def plain(layer, x):
    return layer(x)


def torch_autocast(layer, x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = layer(x)
    return hidden.to(x.dtype)


def paddle_autocast(layer, x):
    with paddle.amp.auto_cast(dtype="bfloat16"):
        hidden = layer(x)
    return hidden.astype(x.dtype)


def torch_without(layer, x):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=False):
        return layer(x)


IN_HALF = {
    "bfloat16": (lambda layer, x: layer(x).bfloat16().to(x.dtype), lambda layer, x: layer(x).astype("bfloat16").astype(x.dtype)),
    "float16": (lambda layer, x: layer(x).half().to(x.dtype), lambda layer, x: layer(x).astype("float16").astype(x.dtype)),
    "a part of it": (lambda layer, x: layer(x) + (layer(x) * 1e-3).half().to(x.dtype),
                     lambda layer, x: layer(x) + (layer(x) * 1e-3).astype("float16").astype(x.dtype)),
    "autocast": (torch_autocast, paddle_autocast),
}
WHOLE = {"a part of it": lambda layer, x: layer(x) + layer(x) * 1e-3}


def verdict(reference, twin, **options):
    return compare(Port(lambda: Torch(reference), lambda: Paddle(twin), inputs=[normal(4, 6)]).subject("eval"), **options).verdict


def of_right_ones(reference, twin):
    """Up to 3.0 Paddle's casts do not round (`differences`: float16_cast, bfloat16_cast)."""
    subject = Port(lambda: Torch(reference), lambda: Paddle(twin), inputs=[normal(4, 6)]).subject("eval")
    return explain(compare(subject, lanes=["float64"]), lambda lanes: compare(subject, lanes=lanes)).verdict


@pytest.mark.filterwarnings("ignore:amp_guard can only be enabled")  # on the CPU Paddle has none
@pytest.mark.parametrize("kind", IN_HALF)
def test_half_precision_on_one_side_alone_is_found_in_float64(kind):
    ours, theirs = IN_HALF[kind]
    whole = WHOLE.get(kind, plain)
    assert of_right_ones(ours, theirs) == "same"
    assert verdict(ours, whole, lanes=["float64"]) == "diverged"
    assert verdict(whole, theirs, lanes=["float64"]) == "diverged"


@pytest.mark.filterwarnings("ignore:amp_guard can only be enabled")
def test_autocast_on_one_side_alone_is_found_at_its_line():
    subject = Port(lambda: Torch(torch_autocast), lambda: Paddle(plain), inputs=[normal(4, 6)]).subject("eval")
    first = glance(subject).first
    assert first.key.variable == "autocast" and first.reference.line == torch_autocast.__code__.co_firstlineno + 1
    assert verdict(torch_autocast, paddle_autocast) == "same" == verdict(torch_without, plain)


def test_what_is_computed_in_half_precision_is_never_the_same_without():
    def softmax(layer, x):
        return torch.softmax(layer(x).bfloat16(), -1).to(x.dtype)

    assert verdict(softmax, lambda layer, x: paddle.nn.functional.softmax(layer(x), -1), lanes=["float64"]) == "undecided"


def twice(factor):
    """In bfloat16, between two layers that know nothing of it."""
    return (lambda layer, x: (layer(x).to(torch.bfloat16) * factor).to(x.dtype),
            lambda layer, x: (layer(x).astype("bfloat16") * factor).astype(x.dtype))


@pytest.mark.parametrize("factor", [-2, 2.5])
def test_the_floors_of_half_precision_are_its_own_rounding(factor):
    """Of a draw the second reading in bfloat16 was overwritten by the first, and the floor was as large as the value."""
    right, wrong = twice(2), twice(factor)
    cut = BFLOAT16_CAST.present  # each cast is a unit off then: as much as rounding may do, and no imitation is asked about that
    assert of_right_ones(*right) == ("undecided" if cut else "same")
    subject = Port(lambda: Torch(right[0]), lambda: Paddle(wrong[1]), inputs=[normal(4, 6)]).subject("eval")
    report = compare_placing(subject, lanes=["float64"])
    assert report.verdict == "diverged" and report.first.key.stage == "forward", str(report.first)
