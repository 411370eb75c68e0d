"""Where a mistake is said to be, in programs that are not written line for line: the mistake's own line, once; no line in a twin
that is well."""

import paddle
import pytest
import torch
from toys import between, numbers

from parity.compare.ladder import compare
from parity.declare.pair import Pair
from parity.frameworks import FRAMEWORKS
from parity.pairing.census import take
from parity.trace.source import ConstructionSites, SourceTree, attribute_site
from weights_convert import DEFAULT, pair_up

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__), names={})


def judged(reference, twin, *shape):
    return compare(between(reference, twin, {"x": numbers(*shape)}, HERE), lanes=("float64",), operations=True)


def lines(report):
    return [(place.reference.text, place.twin.text) for place in report.places]


class TorchSplit(torch.nn.Module):
    def forward(self, x):
        parts = torch.split(x, 2, dim=-1)
        gate, value = parts[0], parts[1]
        return (torch.sigmoid(gate) * value).mean(-1)


class PaddleSplit(paddle.nn.Layer):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def forward(self, x):
        parts = paddle.split(x, self.count, axis=-1)
        gate, value = parts[0], parts[1]
        return (paddle.nn.functional.sigmoid(gate) * value).mean(-1)


def test_a_split_into_parts_of_another_length_is_the_place_of_what_is_made_of_them():
    report = judged(TorchSplit, lambda: PaddleSplit(2), 2, 6)
    assert lines(report) == [("parts = torch.split(x, 2, dim=-1)", "parts = paddle.split(x, self.count, axis=-1)")]
    assert report.first.twin.text.startswith("parts =")
    assert judged(TorchSplit, lambda: PaddleSplit(3), 2, 6).verdict == "same"


class TorchPadded(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 3)

    def forward(self, x):
        h = torch.nn.functional.pad(x, [1, 1, 2, 2])
        return self.conv(h).mean([2, 3])


class PaddlePadded(paddle.nn.Layer):
    def __init__(self, padding):
        super().__init__()
        self.conv, self.padding = paddle.nn.Conv2D(2, 3, 3), padding

    def forward(self, x):
        h = paddle.nn.functional.pad(x, self.padding)
        return self.conv(h).mean([2, 3])


def test_a_padding_of_the_other_sides_is_the_place_of_what_a_layer_makes_of_it():
    assert judged(TorchPadded, lambda: PaddlePadded([2, 2, 1, 1]), 2, 2, 5, 6).first.twin.text.startswith("h = paddle")
    assert judged(TorchPadded, lambda: PaddlePadded([1, 1, 2, 2]), 2, 2, 5, 6).verdict == "same"


class TorchNormed(torch.nn.LayerNorm):
    def forward(self, x):
        return super().forward(x)


class PaddleNormed(paddle.nn.LayerNorm):
    def forward(self, x):
        return super().forward(x)


class TorchNorms(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.fc, self.b = TorchNormed(8, eps=1e-6), torch.nn.Linear(8, 8), torch.nn.LayerNorm(8, eps=1e-6)

    def forward(self, x):
        return self.b(self.fc(self.a(x)))


class PaddleNorms(paddle.nn.Layer):
    def __init__(self, epsilons):
        super().__init__()
        self.fc = paddle.nn.Linear(8, 8)
        self.a = PaddleNormed(8, epsilon=epsilons[0])
        self.b = paddle.nn.LayerNorm(8, epsilon=epsilons[1])

    def forward(self, x):
        return self.b(self.fc(self.a(x)))


@pytest.mark.parametrize(("epsilons", "wrong"), [((1e-6, 1e-6), ""), ((1e-5, 1e-6), "a"), ((1e-6, 1e-5), "b")])
def test_a_forgotten_epsilon_is_one_place_and_no_line_of_another_class(epsilons, wrong):
    """One of the two is of a class of its own, whose `super().forward` is an operation in one framework and none in the other."""
    report = judged(TorchNorms, lambda: PaddleNorms(epsilons), 2, 8)
    assert [place.key.module for place in report.places] == ([f"net.{wrong}"] if wrong else [])
    if wrong == "b":
        assert report.first.twin.text.startswith("self.b = ") and "self.b" in report.first.reference.text


class TorchSum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(4, 8) for _ in range(3))
        self.norm = torch.nn.LayerNorm(8, eps=1e-6)

    def forward(self, x):
        e = self.a(x) + self.b(x)
        e = e + self.c(x)
        return self.norm(e)


class PaddleSum(paddle.nn.Layer):
    def __init__(self, epsilon):
        super().__init__()
        self.a, self.b, self.c = (paddle.nn.Linear(4, 8) for _ in range(3))
        self.norm = paddle.nn.LayerNorm(8, epsilon=epsilon)

    def forward(self, x):
        embeddings = self.a(x) + self.c(x) + self.b(x)
        return self.norm(embeddings)


def test_another_order_of_addition_takes_no_fault_s_place():
    report = judged(TorchSum, lambda: PaddleSum(1e-5), 2, 4)
    assert report.first.twin.text == "self.norm = paddle.nn.LayerNorm(8, epsilon=epsilon)" and len(report.places) == 1
    assert judged(TorchSum, lambda: PaddleSum(1e-6), 2, 4).verdict == "same"


class TorchMasked(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = TorchInner()

    def forward(self, x):
        return self.inner(x, mask=x[:, :1])


class TorchInner(torch.nn.Module):
    def forward(self, x, mask=None):
        return x.exp() + mask


class PaddleMasked(paddle.nn.Layer):
    def __init__(self, sign, width):
        super().__init__()
        self.inner, self.width = PaddleInner(sign), width

    def forward(self, x):
        return self.inner(x, x[:, self.width - 1:self.width])


class PaddleInner(paddle.nn.Layer):
    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def forward(self, x, mask):
        return x.exp() + self.sign * mask


def test_an_input_by_keyword_is_compared_whatever_else_is_wrong():
    """It is another input that is its own divergence, and only that."""
    healthy = judged(TorchMasked, lambda: PaddleMasked(1, 1), 2, 4)
    assert healthy.verdict == "same" and not [f for f in healthy.findings if f.key.variable.startswith("input")]
    wrong = judged(TorchMasked, lambda: PaddleMasked(-1, 1), 2, 4)
    assert lines(wrong) == [("return x.exp() + mask", "return x.exp() + self.sign * mask")]
    other = judged(TorchMasked, lambda: PaddleMasked(1, 2), 2, 4).first
    assert (other.key.module, other.twin.text) == ("net", "return self.inner(x, x[:, self.width - 1:self.width])") or (
        other.key.module, other.key.variable) == ("net.inner", "input[1]")


class TorchTwice(torch.nn.Module):
    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        left = (x - mean) ** 2
        right = torch.exp(x) * mean
        return left + right


class PaddleTwice(paddle.nn.Layer):
    def __init__(self, *factors):
        super().__init__()
        self.one, self.two = factors

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        left = (x - self.one * mean) ** 2
        right = paddle.exp(x) * self.two * mean
        return left + right


@pytest.mark.parametrize(("factors", "wrong"), [((1, 1), []), ((2, 1), ["left"]), ((1, 2), ["right"]), ((2, 2), ["left", "right"])])
def test_two_mistakes_in_one_function_are_two_places(factors, wrong):
    report = judged(TorchTwice, lambda: PaddleTwice(*factors), 2, 4)
    assert [place.reference.text.partition(" ")[0] for place in report.places] == wrong


class TorchScaled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)
        self.rho = torch.nn.Parameter(torch.full((1, 4), 0.9))

    def forward(self, x):
        return self.rho * self.fc(x)


class PaddleScaled(paddle.nn.Layer):
    def __init__(self, trained):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)
        self.rho = self.create_parameter([1, 4]) if trained else paddle.full([1, 4], 0.9)

    def forward(self, x):
        return self.rho * self.fc(x)


def test_what_the_model_itself_holds_is_placed_once():
    """A tensor that is no parameter is never trained: one place, though its gradient and its state are alone as well."""
    (place,) = judged(TorchScaled, lambda: PaddleScaled(False), 2, 4).places
    assert place.key.variable == "rho" and "trained parameter" in place.deviation.trouble
    assert judged(TorchScaled, lambda: PaddleScaled(True), 2, 4).verdict == "same"


def test_a_tensor_of_a_model_that_no_line_of_the_users_builds_is_placed_where_it_is_made():
    census = take(TorchScaled(), PaddleScaled(False), FRAMEWORKS, (ConstructionSites(), ConstructionSites()), DEFAULT, names={})
    (found,) = census.findings
    assert (found.reference.text, found.twin.text.partition(" ")[0]) == (
        "self.rho = torch.nn.Parameter(torch.full((1, 4), 0.9))", "self.rho")
    assert attribute_site(TorchScaled(), "no_such") is None


def test_of_many_that_one_side_alone_has_the_model_s_first_is_named():
    torches = torch.nn.Sequential(*(torch.nn.InstanceNorm2d(3) for _ in range(9)))
    paddles = paddle.nn.Sequential(*(paddle.nn.InstanceNorm2D(3) for _ in range(9)))
    names = [problem.name for problem in pair_up(torches, paddles)[1]]
    assert names == [f"{number}.{name}" for number in range(9) for name in ("scale", "bias")]


class TorchPositions(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.places, self.head = torch.nn.Embedding(7, 4), torch.nn.Linear(4, 4)

    def forward(self, x):
        places = self.places(torch.arange(x.shape[1])[None])
        return self.head(x + places)


class PaddlePositions(paddle.nn.Layer):
    def __init__(self, first, factor):
        super().__init__()
        self.places, self.head = paddle.nn.Embedding(7, 4), paddle.nn.Linear(4, 4)
        self.first, self.factor = first, factor

    def forward(self, x):
        places = self.places((paddle.arange(x.shape[1]) + self.first)[None].expand(x.shape[:2]))
        return self.head(x + places) * self.factor


def test_one_row_for_all_and_as_many_equal_rows_are_one_value():
    assert judged(TorchPositions, lambda: PaddlePositions(0, 1.0), 2, 5, 4).verdict == "same"
    assert judged(TorchPositions, lambda: PaddlePositions(0, 1.1), 2, 5, 4).first.twin.text.startswith("return self.head(x")
    assert judged(TorchPositions, lambda: PaddlePositions(1, 1.0), 2, 5, 4).first.twin.text.startswith("places = ")


class TorchBetween(torch.nn.Module):
    """Between its layers it computes by itself."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(6, 6) for _ in range(3))

    def forward(self, x):
        h = torch.nn.functional.gelu(self.a(x))
        scaled = h * 0.5
        deep = torch.tanh(self.b(scaled))
        return self.c(deep)


class PaddleBetween(paddle.nn.Layer):
    def __init__(self, approximate=False, slope=1.0, doubled=False):
        super().__init__()
        self.a, self.b, self.c = (paddle.nn.Linear(6, 6) for _ in range(3))
        self.approximate, self.slope, self.doubled = approximate, slope, doubled

    def forward(self, x):
        h = paddle.nn.functional.gelu(self.a(x), approximate=self.approximate)
        if self.doubled:
            h = h * 2  # another way to the same: scaled is what it was
            scaled = h * 0.25
        else:
            scaled = h * 0.5
        deep = paddle.tanh(self.slope * self.b(scaled))
        return self.c(deep)


GELU, TANH = "h = torch.nn.functional.gelu(self.a(x))", "deep = torch.tanh(self.b(scaled))"


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize(("approximate", "slope", "wrong"), [
    (False, 1.0, []), (True, 1.0, [GELU]), (False, 1.1, [TANH]), (True, 1.1, [GELU, TANH])])
def test_what_is_wrong_between_two_layers_is_placed_there_and_not_where_the_next_is_called(approximate, slope, doubled, wrong):
    report = judged(TorchBetween, lambda: PaddleBetween(approximate, slope, doubled), 3, 6)
    assert [place.reference.text for place in report.places] == wrong
    assert report.verdict == ("diverged" if wrong else "same")


class TorchAdded(torch.nn.Module):
    def forward(self, x):
        parts = []
        for function in (torch.tanh, torch.sigmoid):
            parts.append(function(x))
        return (parts[0] + parts[1]).mean()


class PaddleAdded(paddle.nn.Layer):
    def forward(self, x):
        parts = []
        for function in (paddle.tanh, paddle.nn.functional.sigmoid):
            parts.append(function(x))
        return (parts[0] + parts[1]).mean()


class PaddleForgotten(PaddleAdded):
    def forward(self, x):
        parts = []
        for function in (paddle.tanh, paddle.nn.functional.sigmoid):
            parts.append(function(x))
        return parts[1].mean()


def test_what_a_line_lacks_is_missing_in_that_line_and_not_in_the_one_before():
    assert judged(TorchAdded, PaddleAdded, 2, 6).verdict == "same"
    report = judged(TorchAdded, PaddleForgotten, 2, 6)
    first = report.first
    assert (first.reference.text, first.twin.text) == ("return (parts[0] + parts[1]).mean()", "return parts[1].mean()")
