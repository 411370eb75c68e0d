"""Ranges, axes and shares that no training gets along with, each with its healthy twin. From the sixth blind round."""

from __future__ import annotations

import textwrap

import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity
from parity.doctor.script import diagnose_script
from tests.doctor.trainings import ids


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    paddle.seed(0)


def said(net, loss_of):
    optimizer = torch.optim.SGD(net.parameters(), 1e-2)

    def step():
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()

    return ids(net, optimizer, step)


@pytest.mark.parametrize("loss", [lambda *pair: F.mse_loss(*pair), nn.MSELoss()])
@pytest.mark.parametrize(("low", "high", "expected"), [(0, 1, set()), (1, 5, {"target-out-of-reach"})])
def test_targets_that_a_sigmoid_cannot_come_to(loss, low, high, expected):
    net = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())
    assert said(net, lambda: loss(net(torch.randn(8, 4)).squeeze(1), low + (high - low) * torch.rand(8))) == expected


@pytest.mark.parametrize(("high", "expected"), [(1, []), (5, ["target-out-of-reach"])])
def test_targets_that_a_sigmoid_cannot_come_to_in_paddle(high, expected):
    net = paddle.nn.Linear(4, 1)
    optimizer, loss = paddle.optimizer.SGD(1e-2, net.parameters()), paddle.nn.MSELoss()
    with parity.doctor(net, optimizer) as d:
        for _ in range(3):
            loss(paddle.nn.functional.sigmoid(net(paddle.randn([8, 4]))).squeeze(-1), high * paddle.rand([8])).backward()
            optimizer.step()
            optimizer.clear_grad()
    assert [one.id for one in d.findings] == expected


@pytest.mark.parametrize(("moved", "expected"), [(True, set()), (False, {"axes-renumbered"})])
def test_a_reshape_in_the_place_of_a_transpose(moved, expected):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())

    def loss():
        x = torch.randn(4, 6, 6, 3)
        return net(x.permute(0, 3, 1, 2) if moved else x.reshape(4, 3, 6, 6)).square().mean()

    assert said(net, loss) == expected


@pytest.mark.parametrize(("p", "expected"), [(0.5, set()), (0.9, {"dropout-heavy"})])
def test_a_share_to_be_kept_that_is_dropped(p, expected):
    net = nn.Sequential(nn.Linear(4, 16), nn.Dropout(p), nn.Linear(16, 2))
    assert said(net, lambda: net(torch.randn(8, 4)).square().mean()) == expected


@pytest.mark.parametrize(("divided", "expected"), [(255, set()), (255**2, {"input-range"})])
def test_an_input_that_is_divided_twice(divided, expected):
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    assert said(net, lambda: net(torch.randint(0, 256, (8, 4)) / divided).square().mean()) == expected


@pytest.mark.parametrize(("factors", "expected"), [((0.1, 1.0), []), ((1e-3, 1e-2), ["lr-too-small"])])
def test_a_factor_of_a_group_that_was_meant_as_its_learning_rate(factors, expected):
    net = paddle.nn.Sequential(paddle.nn.Linear(4, 8), paddle.nn.ReLU(), paddle.nn.Linear(8, 2))
    optimizer = paddle.optimizer.Adam(1e-3, parameters=[
        {"params": net[0].parameters(), "learning_rate": factors[0]}, {"params": net[2].parameters(), "learning_rate": factors[1]}])
    with parity.doctor(net, optimizer) as d:
        for _ in range(3):
            net(paddle.randn([8, 4])).square().mean().backward()
            optimizer.step()
            optimizer.clear_grad()
    assert [one.id for one in d.findings] == expected


AVERAGE = """
    import copy, torch
    net = torch.nn.Linear(4, 2)
    average = copy.deepcopy(net).eval().requires_grad_(False)
    opt = torch.optim.SGD(net.parameters(), 1e-2)
    for _ in range(4):
        loss = net(torch.randn(8, 4)).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        state = net.state_dict()
        with torch.no_grad():
            for name, value in average.state_dict().items():
                UPDATE
"""


@pytest.mark.parametrize(("update", "expected"), [
    ("value.mul_(0.9).add_(0.1 * state[name])", []), ("value = 0.9 * value + 0.1 * state[name]", ["write-lost"]),
    ("value = 0.9 * value + 0.1 * state[name]; average.state_dict()[name].copy_(value)", []),
])
def test_an_average_that_is_bound_to_the_loops_own_name(tmp_path, update, expected):
    file = tmp_path / "train.py"
    file.write_text(textwrap.dedent(AVERAGE).replace("UPDATE", update))
    assert [one.id for one in diagnose_script(str(file)).diagnosis.errors] == expected
