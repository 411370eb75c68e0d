"""Mistakes in lines that make nothing that both sides have by one name: each is placed at its line. The healthy twin has none."""

import paddle
import pytest
import torch
from toys import between, numbers

from parity.compare.runner import compare_placing
from parity.declare.pair import Pair
from parity.trace.source import SourceTree

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__), names={})
WIDTH = 8
EPSILON = 2.0**-16  # Paddle keeps it in float32


def first(reference, twin, *shape):
    subject = between(reference, twin, {"x": numbers(*(shape or (2, 5, WIDTH)))}, HERE, training=False)
    return compare_placing(subject, lanes=("float64",)).first


def line(reference, twin, *shape):
    """The twin's line of the first divergence; None where the two are the same."""
    found = first(reference, twin, *shape)
    return found and found.twin.text


# --- what a constructor was told ---------------------------------------------------------------------------------------

class TorchNorm(torch.nn.Module):
    def __init__(self, eps):
        super().__init__()
        self.eps, self.gain = eps, torch.nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return torch.nn.functional.layer_norm(x, (WIDTH,), self.gain, None, self.eps)


class PaddleNorm(paddle.nn.Layer):
    def __init__(self, eps):
        super().__init__()
        self.gain = self.create_parameter([WIDTH])
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = (x - mean).pow(2).mean(-1, keepdim=True)
        x = (x - mean) / paddle.sqrt(var + self.eps)
        return x * self.gain


class TorchNormed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.fc = TorchNorm(EPSILON), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.fc(self.norm(x))


class PaddleNormed(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.norm = PaddleNorm(
            eps=2.0**-16)
        self.fc = paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.fc(self.norm(x))


class PaddleCoarse(PaddleNormed):
    def __init__(self):
        super().__init__()
        self.norm = PaddleNorm(
            eps=2.0**-8)


def test_the_epsilon_of_a_norm_that_is_written_out_is_placed_where_it_was_decided():
    assert line(TorchNormed, PaddleNormed) is None
    found = first(TorchNormed, PaddleCoarse)
    assert found.twin.text == "eps=2.0**-8)" and found.cause == "eps is 0.00390625 in the twin, 1.52588e-05 in the reference"


ACTIVATIONS = {"gelu": paddle.nn.functional.gelu, "tanh": paddle.nn.functional.tanh}


class TorchActing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.act = torch.nn.Linear(WIDTH, WIDTH), torch.nn.functional.gelu

    def forward(self, x):
        h = self.fc(x)
        return self.act(h)


class PaddleActing(paddle.nn.Layer):
    def __init__(self, act):
        super().__init__()
        self.fc = paddle.nn.Linear(WIDTH, WIDTH)
        self.act = ACTIVATIONS[act]

    def forward(self, x):
        h = self.fc(x)
        return self.act(h)


class PaddleBranching(paddle.nn.Layer):
    def __init__(self, act):
        super().__init__()
        self.fc = paddle.nn.Linear(WIDTH, WIDTH)
        if act == "tanh":
            self.act = paddle.nn.Tanh()
        else:
            self.act = getattr(paddle.nn.functional, act)

    def forward(self, x):
        h = self.fc(x)
        return self.act(h)


class TorchAround(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = TorchActing()

    def forward(self, x):
        return self.inner(x) * 2


class PaddleAround(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = PaddleActing(
            act="gelu")

    def forward(self, x):
        return self.inner(x) * 2


class PaddleAnother(PaddleAround):
    def __init__(self):
        super().__init__()
        self.inner = PaddleActing(
            act="tanh")


def test_an_activation_that_was_handed_down_by_its_name_is_placed_where_that_was_written():
    assert line(TorchAround, PaddleAround) is None
    assert line(TorchAround, PaddleAnother) == 'act="tanh")'


@pytest.mark.parametrize(("act", "place"), [("gelu", None), ("tanh", "self.act = paddle.nn.Tanh()")])
def test_an_activation_that_one_branch_keeps_is_placed_in_that_branch(act, place):
    assert line(TorchActing, lambda: PaddleBranching(act)) == place


# --- layers that are not called ----------------------------------------------------------------------------------------

class TorchPooling(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.act = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Tanh()

    def forward(self, x):
        h = self.fc(x)
        h = self.act(h)
        return h


class PaddlePooling(paddle.nn.Layer):
    def __init__(self, kind):
        super().__init__()
        self.fc, self.act, self.kind = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Tanh(), kind

    def forward(self, x):
        h = self.fc(x)
        if self.kind == "tanh":
            h = self.act(h)
        return h


class PaddleForgetting(PaddlePooling):
    def forward(self, x):
        h = self.fc(x)
        return h


@pytest.mark.parametrize(("twin", "place"), [
    (lambda: PaddlePooling("tanh"), None), (lambda: PaddlePooling("sigmoid"), 'if self.kind == "tanh":'),
    (lambda: PaddleForgetting("tanh"), "h = self.fc(x)")], ids=["called", "not called", "not there"])
def test_a_layer_behind_a_condition_that_does_not_hold(twin, place):
    assert line(TorchPooling, twin) == place


class TorchDropping(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.drop = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.fc(x)) * 2


class PaddleDropping(paddle.nn.Layer):
    def __init__(self, factor):
        super().__init__()
        self.fc, self.drop, self.factor = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Dropout(0.5), factor

    def forward(self, x):
        x = self.fc(x)
        if self.training:
            x = self.drop(x)
        return x * self.factor


@pytest.mark.parametrize(("factor", "place"), [(2, None), (2.5, "return x * self.factor")])
def test_a_layer_that_changes_nothing_is_not_missed(factor, place):
    assert line(TorchDropping, lambda: PaddleDropping(factor)) == place


class TorchPositions(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.positions = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Embedding(5, WIDTH)

    def forward(self, x):
        h = self.fc(x)
        h = h + self.positions(torch.arange(5))
        return h * 2


class PaddlePositions(paddle.nn.Layer):
    def __init__(self, sign):
        super().__init__()
        self.fc, self.positions, self.sign = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Embedding(5, WIDTH), sign

    def forward(self, x):
        h = self.fc(x)
        n = x.shape[1]
        h = h + self.sign * self.positions.weight[:n]
        return h * 2


@pytest.mark.parametrize(("sign", "place"), [(1, None), (-1, "h = h + self.sign * self.positions.weight[:n]")])
def test_a_layer_whose_weight_is_read_without_a_call(sign, place):
    assert line(TorchPositions, lambda: PaddlePositions(sign)) == place


# --- layers without a partner --------------------------------------------------------------------------------------------

class TorchSequential(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.LayerNorm(WIDTH, eps=EPSILON), torch.nn.ReLU())

    def forward(self, x):
        return self.body(x) * 2


class PaddleSequential(paddle.nn.Layer):
    def __init__(self, act):
        super().__init__()
        layers = [
            paddle.nn.Linear(WIDTH, WIDTH),
            paddle.nn.LayerNorm(WIDTH, epsilon=EPSILON),
            act()]
        self.body = paddle.nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x) * 2


@pytest.mark.parametrize(("act", "place"), [(paddle.nn.ReLU, None), (paddle.nn.LeakyReLU, "act()]")])
def test_a_layer_in_a_list_is_placed_where_it_was_built(act, place):
    assert line(TorchSequential, lambda: PaddleSequential(act)) == place


class TorchAdding(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x, skip):
        return self.fc(x) + skip


class PaddleAdding(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x, skip):
        return self.fc(x) + skip


class TorchSkipping(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.project, self.adding = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Identity(), TorchAdding()

    def forward(self, x):
        x = self.fc(x)
        shortcut = self.project(x)
        return self.adding(x, shortcut)


class Unchanged(paddle.nn.Layer):
    def forward(self, x):
        return x


class NearlyUnchanged(paddle.nn.Layer):
    def forward(self, x):
        return x * 1.01


class PaddleSkipping(paddle.nn.Layer):
    def __init__(self, project):
        super().__init__()
        self.fc, self.project, self.adding = paddle.nn.Linear(WIDTH, WIDTH), project(), PaddleAdding()

    def forward(self, x):
        x = self.fc(x)
        residual = self.project(x)
        return self.adding(x, residual)


@pytest.mark.parametrize(("project", "place"), [(Unchanged, None), (NearlyUnchanged, "return x * 1.01")])
def test_what_else_a_call_is_given_does_not_hide_what_made_its_argument(project, place):
    assert line(TorchSkipping, lambda: PaddleSkipping(project)) == place


# --- values that nobody could compare ------------------------------------------------------------------------------------

class TorchHeads(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        q = self.q(x)
        q = q.view(2, -1, 2, WIDTH // 2).transpose(1, 2)
        k = self.k(x)
        k = k.view(2, -1, 2, WIDTH // 2).transpose(1, 2)
        scores = q @ k.transpose(2, 3)
        return scores.softmax(-1)


class PaddleHeads(paddle.nn.Layer):
    def __init__(self, factor, order=(0, 2, 1, 3)):
        super().__init__()
        self.q, self.k = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Linear(WIDTH, WIDTH)
        self.factor, self.order = factor, order

    def forward(self, x):
        def split(x):
            x = x.reshape([2, -1, 2, WIDTH // 2]).transpose([0, 2, 1, 3])
            return x * self.factor

        q = self.q(x).reshape([2, -1, 2, WIDTH // 2])
        q = q.transpose(self.order).reshape([2, 2, -1, WIDTH // 2])
        k = split(self.k(x))
        scores = q @ k.transpose([0, 1, 3, 2])
        return paddle.nn.functional.softmax(scores, -1)


@pytest.mark.parametrize(("arguments", "place"), [
    ((1,), None), ((1.01,), "return x * self.factor"),
    ((1, (0, 1, 2, 3)), "q = q.transpose(self.order).reshape([2, 2, -1, WIDTH // 2])")])
def test_a_name_that_is_bound_more_often_on_one_side_is_placed_where_its_value_goes_wrong(arguments, place):
    assert line(TorchHeads, lambda: PaddleHeads(*arguments)) == place


class TorchPicking(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.drop, self.head = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Dropout(0.5), torch.nn.Linear(WIDTH, 3)

    def features(self, x):
        return self.fc(x)

    def forward(self, x):
        x = self.features(x)
        x = x[:, 0]
        return self.head(self.drop(x))


class PaddlePicking(paddle.nn.Layer):
    def __init__(self, place):
        super().__init__()
        self.fc, self.head, self.place = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Linear(WIDTH, 3), place

    def features(self, x):
        x = self.fc(x)
        return x[:, self.place]

    def forward(self, x):
        x = self.features(x)
        return self.head(x)


@pytest.mark.parametrize(("place", "wrong"), [(0, None), (1, "return x[:, self.place]")])
def test_dropout_in_eval_mode_is_no_operation_that_the_other_lacks(place, wrong):
    assert line(TorchPicking, lambda: PaddlePicking(place)) == wrong


class TorchHanding(TorchPicking):
    def forward(self, x):
        last = self.fc(x)
        first = last[:, 0]
        first = self.head(first)
        return first


class PaddleHanding(PaddlePicking):
    def forward(self, x):
        last = self.fc(x)
        first = self.head(last[:, self.place])
        return first


@pytest.mark.parametrize(("place", "wrong"), [(0, None), (1, "first = self.head(last[:, self.place])")])
def test_what_a_line_makes_and_hands_over_at_once_lies_in_that_line(place, wrong):
    assert line(TorchHanding, lambda: PaddleHanding(place)) == wrong


class TorchLayers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        h = self.a(x)
        return self.b(h)


class PaddleLayers(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        every = [self.a(x)]
        every.append(self.b(every[-1]))
        return every


class TorchStack(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = TorchLayers()

    def forward(self, x):
        h = self.layers(x)
        first = h[:, 0]
        return first * 2


class PaddleStack(paddle.nn.Layer):
    def __init__(self, layer, place):
        super().__init__()
        self.layers, self.layer, self.place = PaddleLayers(), layer, place

    def forward(self, x):
        h = self.layers(x)[self.layer]
        first = h[:, self.place]
        return first * 2


@pytest.mark.parametrize(("arguments", "place"), [((-1, 0), None), ((-1, 1), "first = h[:, self.place]"), ((0, 0), None)])
def test_results_in_another_order_are_no_place_of_what_goes_wrong_behind_them(arguments, place):
    found = line(TorchStack, lambda: PaddleStack(*arguments))
    assert found == place if arguments != (0, 0) else found is not None
