"""A softmax over the neighbours of each node, whose largest torch takes by `scatter_reduce`: a gradient that asks for it survives
the noise draws, so what cancels has a floor, and a mistake is found."""

import numpy as np
import paddle
import pytest
import torch

from parity import Port, compare, normal

EDGES = np.array([[0, 1, 2, 3, 0, 2], [1, 2, 0, 0, 2, 3]])


class Ours(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.score = torch.nn.Parameter(torch.randn(2, 4))

    def forward(self, x, edges):
        source, target = edges
        e = (torch.cat([x[target], x[source]], 1) @ self.score.reshape(8, 1)).squeeze(1)
        largest = torch.full((x.shape[0],), -1e9, dtype=x.dtype).scatter_reduce(0, target, e, "amax")
        p = (e - largest[target]).exp()
        share = p / torch.zeros_like(largest).index_add(0, target, p)[target]
        out = torch.zeros_like(x).index_add(0, target, share.unsqueeze(1) * x[source])
        return out, share


class Theirs(paddle.nn.Layer):
    def __init__(self, over="target"):
        super().__init__()
        self.score, self.over = self.create_parameter([2, 4], default_initializer=paddle.nn.initializer.Normal()), over

    def forward(self, x, edges):
        source, target = edges[0], edges[1]
        e = (paddle.concat([x[target], x[source]], 1) @ self.score.reshape([8, 1])).squeeze(1)
        at = target if self.over == "target" else source
        share = paddle.zeros_like(e)
        for node in range(x.shape[0]):
            here = (at == node).astype(e.dtype)
            p = paddle.exp(e - e.detach().max()) * here
            share = share + p / (p.sum() + (here.sum() == 0).astype(e.dtype))
        out = paddle.zeros_like(x)
        out = paddle.scatter_nd_add(out, target.unsqueeze(-1), share.unsqueeze(1) * x[source])
        return out, share


@pytest.mark.parametrize("over", ["target", "source"])
def test_a_softmax_over_neighbours(over):
    """What is the same for all neighbours has a gradient of nothing but rounding. The twin binds `out` twice: the zeros that it
    begins with are no value of the reference's, and that no gradient comes back to them is no cut."""
    found = compare(Port(Ours, lambda: Theirs(over), inputs=[normal(4, 4), EDGES]), modes=["eval"], lanes=["float64"])
    assert found.verdict == ("same" if over == "target" else "diverged")
