"""What Paddle gets wrong in float64 alone is as it is in float32: a right port is the same, a wrong one is found."""

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
import torch
from pairs import trainings

from parity import Port, compare, normal
from parity.frameworks.paddle_in_float64 import _loses_gradients, right_in_float64
from parity.steps.follow import follow
from parity.steps.stored import record_to, recorded_in

ITEMS = {
    "rows": lambda t: t([0, 2]), "a list": lambda t: [0, 2], "an array": lambda t: np.array([0, 2]),
    "negative": lambda t: t([-1, 0]),
    "a mask": lambda t: t([True, False, True]), "a mask of all": lambda t: t(np.arange(60).reshape(3, 4, 5) % 3 == 0),
    "nothing": lambda t: t([False] * 3), "two": lambda t: (t([0, 1]), t([1, 2])), "twice": lambda t: t([1, 1, 0]),
    "columns": lambda t: (slice(None), t([0, 3])), "rows of a slice": lambda t: (t([1]), slice(1, 3)),
    "of one": lambda t: (1, t([0, 2])), "apart": lambda t: (t([0, 1]), slice(None), t([1, 2])), "one": lambda t: t(1),
    "the last": lambda t: (Ellipsis, t([0, 2])), "a slice": lambda t: slice(0, 2),
}


def gradients(tensor, item, x, value, g):
    """(what was written into, its gradient, the value's)."""
    x, value = tensor(x), tensor(value)
    for one in (x, value):
        setattr(one, *(("requires_grad", True) if tensor is torch.tensor else ("stop_gradient", False)))
    y = x * 1.0
    y[item(tensor)] = value * 1.0
    (y * tensor(g)).sum().backward()
    return [np.asarray(one) for one in (y.detach(), x.grad, np.zeros(value.shape) if value.grad is None else value.grad)]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "broadcast"])
@pytest.mark.parametrize("name", ITEMS)
def test_as_torch_writes(name, whole):
    if name == "a mask of all" and paddle.__version__ < "3":
        pytest.skip("Paddle 2 writes one number only by a mask of all")
    rng = np.random.default_rng(0)
    shape = np.zeros((3, 4, 5))[ITEMS[name](np.array)].shape
    broadcast = (1, *shape[1:]) if shape[0] and len(shape) > 1 else shape  # Paddle writes nothing, or one number, in its own ways
    given = rng.standard_normal((3, 4, 5)), rng.standard_normal(shape if whole else broadcast), rng.standard_normal((3, 4, 5))
    with right_in_float64():
        for ours, theirs in zip(gradients(torch.tensor, ITEMS[name], *given), gradients(paddle.to_tensor, ITEMS[name], *given),
                                strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)  # a sum of up to 20 numbers of size 1


def test_one_number_by_a_mask_stays_without_a_gradient():
    """As in float32, which is what a program trains in: it is no fault of the lane, and is not put right."""
    found = []
    for dtype in ("float32", "float64"):
        value = paddle.ones([1], dtype)
        value.stop_gradient = False
        x = paddle.zeros([3, 4], dtype)
        with right_in_float64():
            x[paddle.to_tensor([True, False, True])] = value
        x.sum().backward()
        found.append(value.grad.item())
    assert found[0] == found[1]


def test_looking_for_it_shows_in_no_recording(tmp_path):
    """It is looked for once, where a twin is followed for the first time: by no backward, which would be taken for the twin's."""
    subject = trainings.regression.subject()
    record_to(tmp_path / "reference", subject, steps=1)
    _loses_gradients.cache_clear()
    assert follow(subject, steps=1, recorded=recorded_in(tmp_path / "reference", subject)[1]).verdict == "same"


class Sent(torch.nn.Module):
    """Each row to the layer of its sign, and the sum of one doubled in place."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(6, 6) for _ in range(2))

    def forward(self, x):
        out = x * 0
        for number, layer in enumerate(self.layers):
            rows = torch.nonzero((x[:, 0] > 0) == bool(number)).squeeze(-1)
            out[rows] = layer(x[rows])
        out[out.sum(1) > 0] *= 2
        return out


class Sent_(paddle.nn.Layer):
    def __init__(self, times=2):
        super().__init__()
        self.layers = paddle.nn.LayerList([paddle.nn.Linear(6, 6) for _ in range(2)])
        self.times = times

    def forward(self, x):
        out = x * 0
        for number, layer in enumerate(self.layers):
            rows = paddle.nonzero((x[:, 0] > 0) == bool(number)).squeeze(-1)
            out[rows] = layer(x[rows])
        out[out.sum(1) > 0] *= self.times
        return out


class Cut(Sent_):
    def forward(self, x):
        out = x * 0
        for number, layer in enumerate(self.layers):
            rows = paddle.nonzero((x[:, 0] > 0) == bool(number)).squeeze(-1)
            out[rows] = layer(x[rows]).detach() if number else layer(x[rows])
        out[out.sum(1) > 0] *= 2
        return out


@pytest.mark.parametrize("twin, verdict", [(Sent_, "same"), (lambda: Sent_(3), "diverged"), (Cut, "diverged")],
                         ids=["right", "times", "cut"])
def test_a_program_that_writes_by_index(twin, verdict):
    assert compare(Port(Sent, twin, inputs=[normal(8, 6)]), modes=["eval"]).verdict == verdict


class Judged(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(6, 1)

    def forward(self, x, y):
        p, y = torch.sigmoid(self.fc(x)), y.detach()
        return (-y * torch.log(p + 1e-4) - (1 - y) * torch.log(1 - p + 1e-4)).mean()


class Judged_(paddle.nn.Layer):
    def __init__(self, epsilon=1e-4):
        super().__init__()
        self.fc = paddle.nn.Linear(6, 1)
        self.epsilon = epsilon

    def forward(self, x, y):
        return F.log_loss(F.sigmoid(self.fc(x)), y, self.epsilon).mean()


@pytest.mark.parametrize("epsilon, verdict", [(1e-4, "same"), (2e-4, "diverged")])
def test_a_log_loss(epsilon, verdict):
    """Paddle has no kernel of it for float64."""
    labels = (np.arange(8) % 2).astype(np.float32)[:, None]
    assert compare(Port(Judged, lambda: Judged_(epsilon), inputs=[normal(8, 6), labels]), modes=["eval"]).verdict == verdict
