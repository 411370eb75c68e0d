"""What programs make and keep inside: tensors of no named dtype have the lane's (the lowest number of float64 does not fit into
float32), numbers that scale, functions, arguments that the other side's layer takes in another place."""

import math

import paddle
import pytest
import torch
from toys import between, numbers

import parity
from parity.compare.ladder import compare
from parity.compare.results import Case
from parity.compare.runner import run
from parity.inputs import normal
from parity.port import Port


class TorchMasked(torch.nn.Module):
    def forward(self, x):
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), torch.finfo(x.dtype).min), diagonal=1)
        return torch.softmax(x @ x.transpose(1, 2) + mask, -1) @ x


class PaddleMasked(paddle.nn.Layer):
    def __init__(self, diagonal):
        super().__init__()
        self.diagonal = diagonal

    def forward(self, x):
        mask = paddle.triu(paddle.full((x.shape[1], x.shape[1]), paddle.finfo(x.dtype).min), diagonal=self.diagonal)
        return paddle.nn.functional.softmax(x @ x.transpose([0, 2, 1]) + mask, -1) @ x


def judged(diagonal):
    return compare(between(TorchMasked, lambda: PaddleMasked(diagonal), {"x": numbers(2, 4, 3)}))


def test_a_mask_of_the_lowest_number_is_made_in_the_lane_s_dtype():
    assert judged(1).verdict == "same"
    assert torch.get_default_dtype() == torch.float32
    assert paddle.get_default_dtype() == "float32"


def test_a_mask_that_hides_another_word_differs():
    assert judged(2).verdict == "diverged"


class TorchMemo(torch.nn.Module):
    """Positions that are made once, in the dtype of what came first."""

    def __init__(self):
        super().__init__()
        self.fc, self.positions = torch.nn.Linear(6, 5), None

    def forward(self, x):
        if self.positions is None:
            self.positions, self.signs = torch.arange(6, dtype=x.dtype), [torch.ones(6, dtype=x.dtype)]
        return self.fc(x + self.positions * self.signs[0])


class PaddleMemo(paddle.nn.Layer):
    def __init__(self, sign=1):
        super().__init__()
        self.fc, self.positions, self.sign = paddle.nn.Linear(6, 5), None, sign

    def forward(self, x):
        if self.positions is None:
            self.positions = paddle.arange(6).astype(x.dtype)
        return self.fc(x + self.positions * self.sign)


@pytest.mark.parametrize("sign, verdict", [(1, "same"), (-1, "diverged")])
def test_what_is_computed_once_is_computed_anew_in_each_lane(sign, verdict):
    assert compare(between(TorchMemo, lambda: PaddleMemo(sign), {"x": numbers(4, 6)})).verdict == verdict


class TorchCounting(torch.nn.Module):
    """Counts its calls, and goes on from what came out last."""

    def __init__(self, share=0.1, each=1):
        super().__init__()
        self.share, self.each, self.calls, self.last, self.queue = share, each, 0, None, []

    def forward(self, x):
        y = x.tanh() if self.last is None else x.tanh() + self.share * self.last
        self.calls += self.each
        self.queue.append(y.detach())
        self.last = self.queue[-1]
        return y * self.calls * len(self.queue)


class PaddleCounting(paddle.nn.Layer):
    forward = TorchCounting.forward

    def __init__(self, share=0.1, each=1):
        super().__init__()
        self.share, self.each, self.calls, self.last, self.queue = share, each, 0, None, []


@pytest.mark.parametrize("changes, verdict", [({}, "same"), ({"share": 0.2}, "diverged"), ({"each": 2}, "diverged")])
def test_each_run_begins_with_what_the_first_one_found_in_attributes(changes, verdict):
    port = Port(TorchCounting, lambda: PaddleCounting(**changes), inputs=[normal(2, 3)], calls=2, modes=["eval"])
    assert compare(port.subject("eval")).verdict == verdict


class TorchInner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.act = torch.nn.Linear(4, 4), torch.nn.functional.gelu

    def forward(self, x, mask=None, skipped=None, bias=None):
        scores = self.fc(x) / math.sqrt(2)
        scores += bias
        return self.act(scores + mask)


class TorchOuter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = TorchInner()

    def forward(self, x):
        return self.layer(x, x.abs(), None, bias=x.mean(-1, keepdim=True))


class PaddleInner(paddle.nn.Layer):
    def __init__(self, act, scale):
        super().__init__()
        self.scale = scale
        self.act = act
        self.fc = paddle.nn.Linear(4, 4)

    def forward(self, x, mask=None, bias=None):
        scores = self.fc(x) * self.scale
        scores += bias
        return self.act(scores + mask)


class PaddleOuter(paddle.nn.Layer):
    def __init__(self, act=paddle.nn.functional.gelu, scale=2 ** -0.5, sign=1):
        super().__init__()
        self.layer, self.sign = PaddleInner(act, scale), sign

    def forward(self, x):
        return self.layer(x, x.abs(), self.sign * x.mean(-1, keepdim=True))


def settled(**options):
    pair = Port(TorchOuter, lambda: PaddleOuter(**options), inputs=[normal(2, 3, 4)])
    [result] = run([Case("Net", "eval", pair.subject("eval"))], lanes=("float64",))
    return result.report


def test_an_argument_in_another_place_and_a_number_that_divides_are_no_difference():
    assert settled().verdict == "same"


def test_a_function_that_is_kept_is_named_where_it_is_kept():
    first = settled(act=paddle.nn.functional.relu).first
    assert first.key.module.endswith("layer") and first.twin.text == "self.act = act"
    assert "gelu" in first.cause and "relu" in first.cause


def test_another_scale_is_found_in_the_layer_and_not_at_the_argument_that_stands_elsewhere():
    first = settled(scale=2.0).first
    assert first.key.module.endswith("layer") and "self.scale" in first.twin.text


def test_another_argument_in_another_place_is_found():
    assert settled(sign=-1).verdict == "diverged"


class TorchSum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)

    def forward(self, x):
        h = x + self.one(x)
        h = h + self.other(x)
        return h


class PaddleSum(paddle.nn.Layer):
    def __init__(self, factor):
        super().__init__()
        self.one, self.other, self.factor = paddle.nn.Linear(4, 4), paddle.nn.Linear(4, 4), factor

    def forward(self, x):
        h = x + self.other(x)
        h = h + self.one(x)
        return h * self.factor


def test_terms_in_another_order_hide_nothing_behind_the_sum():
    """Nor are they what is wrong there: not as locals, not as single operations."""
    def judged(factor):
        pair = Port(TorchSum, lambda: PaddleSum(factor), inputs=[normal(2, 4)])
        return next(run([Case("Net", "eval", pair.subject("eval"))], lanes=("float64",))).report

    assert judged(1.0).verdict == "same"
    assert judged(1.01).first.twin.text == "return h * self.factor"


class TorchRemembers(torch.nn.Module):
    """Its state is a tensor among its attributes, of which torch makes no buffer and Paddle does."""

    def __init__(self):
        super().__init__()
        self.fc, self.potential = torch.nn.Linear(3, 3), torch.zeros(3)

    def forward(self, x):
        potential = 0.5 * self.potential + self.fc(x).mean(0)
        self.potential = potential.detach()
        return torch.relu(potential - 0.1)


class PaddleRemembers(paddle.nn.Layer):
    def __init__(self, keep=0.5, kept=True):
        super().__init__()
        self.fc, self.potential, self.keep, self.kept = paddle.nn.Linear(3, 3), paddle.zeros([3]), keep, kept

    def forward(self, x):
        potential = self.keep * self.potential + self.fc(x).mean(0)
        if self.kept:
            self.potential = potential.detach()
        return paddle.nn.functional.relu(potential - 0.1)


@pytest.mark.parametrize(("options", "calls", "verdict"), [
    ({}, 1, "same"), ({}, 3, "same"), ({"keep": 0.6}, 3, "diverged"), ({"kept": False}, 1, "diverged")])
def test_a_state_that_is_a_mere_attribute(options, calls, verdict):
    """Each run of the noise begins with what it was, and what it has become is compared."""
    pair = Port(TorchRemembers, lambda: PaddleRemembers(**options), inputs=[normal(4, 3)], calls=calls)
    found = parity.compare(pair, modes=["eval"], lanes=["float64"])
    assert found.verdict == verdict
    if verdict == "diverged" and calls == 1:
        assert (found.merged.first.key.stage, found.merged.first.key.variable) == ("state", "potential")


class TorchGoesOn(torch.nn.Module):
    """Its state goes on with the graph that made it, as nothing is trained over two calls."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)
        self.register_buffer("state", torch.zeros(3))

    def forward(self, x):
        self.state = 0.5 * self.state + self.fc(x).mean(0)
        return torch.relu(self.state)


class PaddleGoesOn(paddle.nn.Layer):
    def __init__(self, share=0.5):
        super().__init__()
        self.fc, self.share = paddle.nn.Linear(3, 3), share
        self.register_buffer("state", paddle.zeros([3]))

    def forward(self, x):
        state = self.share * self.state + self.fc(x).mean(0)
        self.state = state
        return paddle.nn.functional.relu(state)


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "same"), (0.6, "diverged")])
def test_a_state_that_keeps_its_graph(share, verdict):
    """The graph of one run is none of the next."""
    pair = Port(TorchGoesOn, lambda: PaddleGoesOn(share), inputs=[normal(4, 3)], calls=2)
    assert parity.compare(pair, modes=["eval"], lanes=["float64"]).verdict == verdict
