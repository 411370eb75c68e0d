"""Tables that each side makes for itself, in float32 and in another form: a complex number here, its sine and cosine there. That
they are rounded is no mistake of the port; another frequency, or another order, is."""

import paddle
import pytest
import torch

from parity import Port, compare, normal


class Turned(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(8, 8)
        angles = torch.outer(torch.arange(6).float(), 1 / (100 ** (torch.arange(0, 8, 2).float() / 8)))
        self.register_buffer("turns", torch.polar(torch.ones(6, 4), angles), persistent=False)

    def forward(self, x):
        pairs = torch.view_as_complex(self.fc(x).reshape(2, 6, 4, 2))
        return torch.view_as_real(pairs * self.turns.to(pairs.dtype)).flatten(2)


class Turned_(paddle.nn.Layer):
    def __init__(self, base=100, by_halves=False):
        super().__init__()
        self.fc = paddle.nn.Linear(8, 8)
        angles = paddle.outer(paddle.arange(6).astype("float32"), 1 / (base ** (paddle.arange(0, 8, 2).astype("float32") / 8)))
        self.register_buffer("cos", angles.cos(), persistable=False)
        self.register_buffer("sin", angles.sin(), persistable=False)
        self.by_halves = by_halves

    def forward(self, x):
        y = self.fc(x)
        cos, sin = self.cos.astype(y.dtype), self.sin.astype(y.dtype)
        if self.by_halves:
            a, b = y[..., :4], y[..., 4:]
            return paddle.concat([a * cos - b * sin, a * sin + b * cos], -1)
        pairs = y.reshape([2, 6, 4, 2])
        a, b = pairs[..., 0], pairs[..., 1]
        return paddle.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(2)


@pytest.mark.parametrize("twin, verdict", [({}, "same"), ({"base": 100.01}, "diverged"), ({"by_halves": True}, "diverged")],
                         ids=["right", "frequency", "halves"])
def test_an_angle_in_two_forms(twin, verdict):
    found = compare(Port(Turned, lambda: Turned_(**twin), inputs=[normal(2, 6, 8)]), modes=["eval"])
    assert found.verdict == verdict
    assert any("made tables" in remark for remark in found.results[0].report.remarks) == (verdict == "same")


class Scaled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(8, 8)

    def forward(self, x):
        return self.fc(x) * 0.1


class Scaled_(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(8, 8)

    def forward(self, x):
        return self.fc(x) * (0.1 + 3e-8)


def test_without_tables_so_small_a_mistake_is_found():
    assert compare(Port(Scaled, Scaled_, inputs=[normal(2, 8)]), modes=["eval"]).verdict == "diverged"
