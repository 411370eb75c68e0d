"""What a program returns is compared whatever holds it: the wrong twin of each healthy pair is found."""

from collections import deque
from dataclasses import dataclass

import numpy as np
import paddle
import pytest
import torch

from parity.compare.ladder import compare, glance
from parity.inputs import normal
from parity.port import Port


@dataclass
class Out:
    z: object
    a: object


class Plain:
    def __init__(self, **parts):
        self.__dict__.update(parts)


class Torch(torch.nn.Module):
    def __init__(self, hold):
        super().__init__()
        self.fc, self.head, self.hold = torch.nn.Linear(6, 5), torch.nn.Linear(5, 3), hold

    def forward(self, x):
        hidden = self.fc(x)
        return self.hold(hidden, self.head(hidden))


class Paddle(paddle.nn.Layer):
    def __init__(self, hold):
        super().__init__()
        self.fc, self.head, self.hold = paddle.nn.Linear(6, 5), paddle.nn.Linear(5, 3), hold

    def forward(self, x):
        hidden = self.fc(x)
        return self.hold(hidden, self.head(hidden))


def verdicts(reference, twin):
    port = Port(lambda: Torch(reference), lambda: Paddle(twin), inputs=[normal(4, 6)])
    subject = port.subject("eval")
    return {compare(subject, lanes=["float64"]).verdict, glance(subject).verdict}


HEALTHY = {
    "a dict in another order": (lambda h, y: {"h": h, "y": y}, lambda h, y: {"y": y, "h": h}),
    "a tuple for a dict": (lambda h, y: {"z": h, "a": y}, lambda h, y: (h, y)),
    "a dict for a tuple": (lambda h, y: (h, y), lambda h, y: {"z": h, "a": y}),
    "a dict for a dataclass": (Out, lambda h, y: {"a": y, "z": h}),
    "an object": (lambda h, y: Plain(logits=y, label="cat"), lambda h, y: Plain(logits=y, label="cat")),
    "one field": (lambda h, y: y, lambda h, y: {"logits": y}),
    "a deque": (lambda h, y: deque([h, y]), lambda h, y: deque([h, y])),
    "an iterator": (lambda h, y: iter([h, y]), lambda h, y: (value for value in (h, y))),
    "an iterator inside": (lambda h, y: (h, (y * n for n in (1, 2))), lambda h, y: (h, (y * n for n in (1, 2)))),
    "numbers and texts": (lambda h, y: (y, 3, "cat", 1 + 2j, None), lambda h, y: (y, 3, "cat", 1 + 2j, None)),
    "complex tensors": (lambda h, y: torch.complex(h, h) * 2j, lambda h, y: paddle.complex(h, h) * 2j),
    "products of complex tensors": (lambda h, y: torch.complex(y, y + 1) * torch.complex(y - 1, y),
                                    lambda h, y: paddle.complex(y, y + 1) * paddle.complex(y - 1, y)),
    "integers": (lambda h, y: (y, (y > 0).to(torch.int32)), lambda h, y: (y, (y > 0).astype("int32"))),
}
WRONG = {
    "another dict": (lambda h, y: {"h": h, "y": y}, lambda h, y: {"y": h, "h": h}),
    "a tuple in another order": (lambda h, y: {"z": h, "a": y}, lambda h, y: (y, h)),
    "one result less": (lambda h, y: (h, y), lambda h, y: h),
    "another name": (lambda h, y: {"h": h, "y": y}, lambda h, y: {"h": h, "x": y}),
    "an object": (lambda h, y: Plain(logits=y), lambda h, y: Plain(logits=y * 1.5)),
    "an object's text": (lambda h, y: Plain(logits=y, label="cat"), lambda h, y: Plain(logits=y, label="dog")),
    "a deque": (lambda h, y: deque([h, y]), lambda h, y: deque([h, y * 2])),
    "an iterator": (lambda h, y: iter([h, y]), lambda h, y: iter([h, y + 1])),
    "an iterator inside": (lambda h, y: (h, (y * n for n in (1, 2))), lambda h, y: (h, (y * n for n in (1, 3)))),
    "a complex number": (lambda h, y: (y, 1 + 2j), lambda h, y: (y, 1 - 2j)),
    "a complex number beside a mask": (lambda h, y: (y, 1 + 2j, y.masked_fill(y > 0, -3e38)),
                                       lambda h, y: (y, 1 + 3j, y.masked_fill(y > 0, -3e38))),
    "an imaginary part": (lambda h, y: torch.complex(h, h), lambda h, y: paddle.complex(h, h * 1.5)),
    "a complex number's part beside a mask of its own": (
        lambda h, y: torch.complex(y, y.masked_fill(y > 0, 3e38)),
        lambda h, y: paddle.complex(y, (y * 1.001).masked_fill(y > 0, 3e38))),
    "the gradient of an imaginary part": (lambda h, y: torch.complex(y, h.sum() * y),
                                          lambda h, y: paddle.complex(y, (h.sum() * y).detach())),
    "a large integer": (lambda h, y: (y, 2**70), lambda h, y: (y, 2**70 + 1)),
    "other integers": (lambda h, y: (y, (y > 0).to(torch.int32)), lambda h, y: (y, (y > 0).astype("int64"))),
    "float32": (lambda h, y: y, lambda h, y: y.astype("float32")),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_the_same_results_are_the_same_whatever_holds_them(name):
    assert verdicts(*HEALTHY[name]) == {"same"}


@pytest.mark.parametrize("name", WRONG)
def test_other_results_are_found(name):
    assert verdicts(*WRONG[name]) == {"diverged"}


def test_a_result_of_no_known_kind_is_undecided():
    assert verdicts(lambda h, y: (y, np.sum), lambda h, y: (y, np.sum)) == {"undecided"}


@pytest.mark.parametrize(("twin", "expected"), [(lambda z: z * 2j, "same"), (lambda z: z.detach() * 2j, "diverged"),
                                                (lambda z: z.conj() * 2j, "diverged")])
def test_a_complex_input_has_its_lane_and_its_gradient(twin, expected):
    class Ours(torch.nn.Module):
        def forward(self, z):
            return z * 2j

    class Theirs(paddle.nn.Layer):
        def forward(self, z):
            return twin(z)

    z = np.random.default_rng(0).standard_normal((4, 6, 2)).view(np.complex128)[..., 0]
    assert compare(Port(Ours, Theirs, inputs=[z]).subject("eval")).verdict == expected
