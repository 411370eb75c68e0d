"""Programs that differentiate in their forward: leaves of two lines, a replay that cuts what they need whole, no gradient and
zeros."""

import paddle
import pytest
import torch

import parity
from parity import normal
from parity.port import Port


class PathLength(torch.nn.Module):
    """No gradient comes to the last bias: the length is one of a derivative."""

    def __init__(self):
        super().__init__()
        self.first, self.last = torch.nn.Linear(3, 5), torch.nn.Linear(5, 4)

    def forward(self, x):
        z = x.detach().requires_grad_(True)
        y = self.last(torch.tanh(self.first(z)))
        gradient, = torch.autograd.grad(y.square().sum(1).sqrt().sum() * 0 + y.sum(), z, create_graph=True)
        length = gradient.square().sum(1).sqrt()
        return length


class PaddlePathLength(paddle.nn.Layer):
    def __init__(self, create_graph=True, factor=1.0):
        super().__init__()
        self.first, self.last = paddle.nn.Linear(3, 5), paddle.nn.Linear(5, 4)
        self.create_graph, self.factor = create_graph, factor

    def forward(self, x):
        z = x.detach()
        z.stop_gradient = False
        y = self.last(paddle.tanh(self.first(z)))
        gradient, = paddle.grad(y.square().sum(1).sqrt().sum() * 0 + y.sum(), z, create_graph=self.create_graph)
        length = gradient.square().sum(1).sqrt() * self.factor
        return length


@pytest.mark.parametrize("options, line", [({}, None), ({"create_graph": False}, "gradient, ="), ({"factor": 1.001}, "length =")])
def test_a_leaf_that_is_made_in_two_lines_is_one(options, line):
    """`x = y.detach()` with `x.stop_gradient = False` behind it is what `y.detach().requires_grad_()` is, and no cut; and what has
    no gradient here and zeros there has the same."""
    found = parity.compare(Port(PathLength, lambda: PaddlePathLength(**options), inputs=[normal(2, 3)], modes=["eval"]))
    assert found.verdict == ("same" if line is None else "diverged")
    if line is not None:
        twin = found.headline[1].twin
        with open(twin.file) as file:
            assert file.readlines()[twin.line - 1].strip().startswith(line)


class Curvature(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = torch.nn.Linear(3, 5), torch.nn.Linear(5, 1)

    def value(self, x):
        return self.last(torch.sin(self.first(x))).sum()

    def forward(self, x):
        return torch.autograd.functional.hessian(self.value, x[0])


class PaddleCurvature(paddle.nn.Layer):
    def __init__(self, order=(0, 1, 2)):
        super().__init__()
        self.first, self.last = paddle.nn.Linear(3, 5), paddle.nn.Linear(5, 1)
        self.order = order

    def value(self, x):
        return self.last(paddle.sin(self.first(x))).sum()

    def forward(self, x):
        point = x[0].detach()
        point.stop_gradient = False
        gradient, = paddle.grad(self.value(point), point, create_graph=True)
        return paddle.stack([paddle.grad(gradient[k], point, retain_graph=True)[0] for k in self.order])


@pytest.mark.parametrize("order, verdict", [((0, 1, 2), "same"), ((0, 2, 1), "diverged")])
def test_a_twin_that_runs_whole_and_not_in_pieces_is_not_at_fault(order, verdict):
    """torch's hessian makes zeros of what a replay cuts off, Paddle raises."""
    found = parity.compare(Port(Curvature, lambda: PaddleCurvature(order), inputs=[normal(2, 3)], modes=["eval"]))
    assert found.verdict == verdict
    assert "raised" not in str(found.headline[1].deviation.trouble) if verdict == "diverged" else any(
        "cannot run in pieces" in str(remark) for remark in found.merged.remarks)
