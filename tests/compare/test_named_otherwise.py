"""Programs whose names say nothing: what both compute is right under whatever name, and the place of a mistake is behind it."""

import paddle
import torch
from toys import between, numbers

from parity.compare.runner import compare_placing
from parity.declare.pair import Pair
from parity.trace.source import SourceTree

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__), names={})
WIDTH, HEADS = 8, 2
EPSILON = 2.0**-16  # Paddle keeps it in float32


def judged(reference, twin, shape=(2, 5, WIDTH)):
    return compare_placing(between(reference, twin, {"x": numbers(*shape)}, HERE), lanes=("float64",))


class TorchAttention(torch.nn.Module):
    """Fused; `key` is what the projection makes."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (torch.nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x):
        query, key, value = self.q(x), self.k(x), self.v(x)
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (query, key, value))
        mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(2))


class PaddleAttention(paddle.nn.Layer):
    """Spelled out; `key` is what the projection is given."""

    def __init__(self, power=-0.5):
        super().__init__()
        self.q, self.k, self.v, self.out = (paddle.nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.power = power

    def parted(self, rows):
        return rows.reshape([rows.shape[0], rows.shape[1], HEADS, -1]).transpose([0, 2, 1, 3])

    def forward(self, query, key=None):
        key = query if key is None else key
        a, b, c = self.parted(self.q(query)), self.parted(self.k(key)), self.parted(self.v(key))
        scores = paddle.matmul(a * (WIDTH // HEADS) ** self.power, b, transpose_y=True)
        weights = paddle.nn.functional.softmax(scores)
        rows = paddle.matmul(weights, c).transpose([0, 2, 1, 3])
        return self.out(rows.reshape([rows.shape[0], rows.shape[1], -1]))


class TorchBlock(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.after = TorchAttention(), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.after(x + self.attention(x)).mean(-1)


class PaddleBlock(paddle.nn.Layer):
    def __init__(self, power=-0.5):
        super().__init__()
        self.attention, self.after = PaddleAttention(power), paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.after(x + self.attention(x)).mean(-1)


def test_an_attention_spelled_out_is_the_same_as_a_fused_one():
    assert judged(TorchBlock, PaddleBlock).verdict == "same"


def test_a_wrong_scale_is_behind_the_last_value_that_both_have():
    report = judged(TorchBlock, lambda: PaddleBlock(-0.4))
    assert report.verdict == "diverged"
    assert report.first.twin.text.startswith("scores = "), str(report.first)
    assert report.first.reference.text.startswith("mixed = torch.nn.functional.scaled_dot_product_attention")
    assert not any("key =" in place.twin.text for place in report.places if place.twin)


class TorchExchanged(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (torch.nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x):
        a, b, c = self.q(x), self.k(x), self.v(x)
        scores = torch.softmax(a @ b.transpose(1, 2), -1)
        return self.out(scores @ c).mean(-1)


class PaddleExchanged(paddle.nn.Layer):
    def __init__(self, exchanged=False):
        super().__init__()
        self.q, self.k, self.v, self.out = (paddle.nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.exchanged = exchanged

    def forward(self, x):
        a, b, c = self.q(x), self.k(x), self.v(x)
        if self.exchanged:
            a, b = b, a
        scores = paddle.nn.functional.softmax(a @ b.transpose([0, 2, 1]), -1)
        return self.out(scores @ c).mean(-1)


def test_two_values_that_are_exchanged_are_no_other_names():
    assert judged(TorchExchanged, PaddleExchanged).verdict == "same"
    report = judged(TorchExchanged, lambda: PaddleExchanged(True))
    assert report.first.twin.text in ("a, b = b, a", "scores = paddle.nn.functional.softmax(a @ b.transpose([0, 2, 1]), -1)"), str(
        report.first)


class PaddleNorm(paddle.nn.LayerNorm):
    """A library's own, which hands on all that it is given."""

    def __init__(self, width, epsilon=EPSILON):
        super().__init__(width, epsilon=epsilon)

    def forward(self, rows):
        return super().forward(rows)


class TorchNormed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.out = torch.nn.LayerNorm(WIDTH, EPSILON), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.out(self.norm(x)).mean(-1)


class PaddleNormed(paddle.nn.Layer):
    def __init__(self, epsilon=EPSILON):
        super().__init__()
        self.norm = PaddleNorm(WIDTH, epsilon=epsilon)
        self.out = paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.out(self.norm(x)).mean(-1)


def test_what_a_base_class_makes_is_placed_where_the_layer_was_built():
    assert judged(TorchNormed, PaddleNormed).verdict == "same"
    report = judged(TorchNormed, lambda: PaddleNormed(2.0**-10))
    assert report.first.twin.text == "self.norm = PaddleNorm(WIDTH, epsilon=epsilon)", str(report.first)


class TorchEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.TransformerEncoderLayer(WIDTH, HEADS, 16, 0.0, "relu", batch_first=True)

    def forward(self, x):
        return self.layer(x).mean(-1)


class PaddleEncoder(paddle.nn.Layer):
    def __init__(self, activation="relu"):
        super().__init__()
        self.layer = paddle.nn.TransformerEncoderLayer(WIDTH, HEADS, 16, 0.0, activation)

    def forward(self, x):
        return self.layer(x).mean(-1)


def test_what_a_librarys_layer_does_inside_is_placed_where_it_was_built():
    with_paddles_norms = judged(TorchEncoder, lambda: PaddleEncoder("gelu"))
    assert with_paddles_norms.first.twin.text.startswith("self.layer = paddle.nn.TransformerEncoderLayer"), str(
        with_paddles_norms.first)


class TorchShared(torch.nn.Module):
    """Calls no module, where the twin calls one."""

    def __init__(self):
        super().__init__()
        self.shared, self.out = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        rows = torch.nn.functional.linear(x, self.shared.weight, self.shared.bias)
        return self.out(rows + x * 0.5).mean(-1)


class PaddleShared(paddle.nn.Layer):
    def __init__(self, half=0.5):
        super().__init__()
        self.shared, self.out = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Linear(WIDTH, WIDTH)
        self.half = half

    def forward(self, x):
        made = self.shared(x)
        return self.out(made + x * self.half).mean(-1)


def test_a_module_called_on_one_side_alone_is_right_where_the_other_has_what_it_returns():
    assert judged(TorchShared, PaddleShared).verdict == "same"
    report = judged(TorchShared, lambda: PaddleShared(0.25))
    assert report.first.twin.text == "return self.out(made + x * self.half).mean(-1)", str(report.first)


class TorchPlain(torch.nn.Module):
    """`x` is the map until its norm, which comes last."""

    def __init__(self):
        super().__init__()
        self.body, self.head = torch.nn.Conv2d(2, WIDTH, 1), torch.nn.Linear(WIDTH, 3)
        self.norm = torch.nn.LayerNorm(WIDTH, EPSILON)

    def features(self, x):
        return self.body(x)

    def forward(self, x):
        x = self.features(x)
        return self.head(self.norm(x.mean([2, 3])))


class PaddlePlain(paddle.nn.Layer):
    def __init__(self, epsilon=EPSILON):
        super().__init__()
        self.body, self.head = paddle.nn.Conv2D(2, WIDTH, 1), paddle.nn.Linear(WIDTH, 3)
        self.norm = paddle.nn.LayerNorm(WIDTH, epsilon=epsilon)

    def features(self, x):
        x = self.body(x)
        return self.norm(x.mean([2, 3]))

    def forward(self, x):
        x = self.features(x)
        return self.head(x)


def test_a_name_for_an_earlier_value_is_no_place():
    assert judged(TorchPlain, PaddlePlain, (2, 2, 4, 4)).verdict == "same"
    report = judged(TorchPlain, lambda: PaddlePlain(2.0**-10), (2, 2, 4, 4))
    assert report.first.twin.text.startswith("self.norm = "), str(report.first)


class PaddleMasked(paddle.nn.Layer):
    """Gives its attention a mask that is made outside, and all that is made of it is right."""

    def __init__(self, epsilon=EPSILON):
        super().__init__()
        self.norm = paddle.nn.LayerNorm(WIDTH, epsilon=epsilon)
        self.attention = _Causal()
        self.after = paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        mask = paddle.triu(paddle.full([x.shape[1], x.shape[1]], -1e9, dtype=x.dtype), 1)
        return self.after(self.attention(self.norm(x), mask)).mean(-1)


class _Causal(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.q, self.k = paddle.nn.Linear(WIDTH, WIDTH), paddle.nn.Linear(WIDTH, WIDTH)

    def forward(self, rows, mask):
        scores = paddle.matmul(self.q(rows), self.k(rows), transpose_y=True) + mask
        return paddle.matmul(paddle.nn.functional.softmax(scores), rows)


class TorchMasked(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.attention, self.after = torch.nn.LayerNorm(WIDTH, EPSILON), _TorchCausal(), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.after(self.attention(self.norm(x))).mean(-1)


class _TorchCausal(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k = torch.nn.Linear(WIDTH, WIDTH), torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, rows):
        scores = self.q(rows) @ self.k(rows).transpose(1, 2)
        ahead = torch.ones(rows.shape[1], rows.shape[1], dtype=torch.bool).triu(1)
        return torch.softmax(scores.masked_fill(ahead, float("-inf")), -1) @ rows


class TorchSiamese(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return torch.nn.functional.cosine_similarity(self.fc(x), self.fc(x.flip(1)), dim=-1)


class PaddleSiamese(paddle.nn.Layer):
    def __init__(self, cut=False):
        super().__init__()
        self.fc, self.cut = paddle.nn.Linear(WIDTH, WIDTH), cut

    def forward(self, x):
        first, other = self.fc(x), self.fc(x.flip([1]))
        return paddle.nn.functional.cosine_similarity(first, other.detach() if self.cut else other, axis=-1)


def test_a_gradient_that_one_side_alone_has_is_still_the_place_of_a_cut():
    assert judged(TorchSiamese, PaddleSiamese).verdict == "same"
    report = judged(TorchSiamese, lambda: PaddleSiamese(True))
    assert report.first.key.stage == "gradients" and report.first.key.call == 1, str(report.first)


def test_what_one_side_alone_hands_over_is_not_first_where_the_replay_finds_nothing_in_it():
    assert judged(TorchMasked, PaddleMasked).verdict == "same"
    report = judged(TorchMasked, lambda: PaddleMasked(2.0**-10))
    assert report.first.twin.text.startswith("self.norm = "), str(report.first)
