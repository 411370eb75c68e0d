"""RealNVP on two moons, with weight-normed coupling nets, actnorm and a cyclic learning rate."""
import math
import numpy as np
import paddle
import paddle.nn as nn
from paddle.nn.utils import weight_norm
import parity

STEPS = 24
paddle.seed(5)
np.random.seed(5)


def moons(n):
    t = np.random.rand(n) * math.pi
    up = np.random.rand(n) < 0.5
    x = np.where(up, np.cos(t), 1 - np.cos(t))
    y = np.where(up, np.sin(t), 0.5 - np.sin(t))
    return (np.stack([x, y], 1) + 0.06 * np.random.randn(n, 2)).astype("float32")


class Coupling(nn.Layer):
    def __init__(self, flip, width=48):
        super().__init__()
        self.register_buffer("mask", paddle.to_tensor([0.0, 1.0] if flip else [1.0, 0.0]))
        zero = nn.initializer.Constant(0.0)
        self.net = nn.Sequential(
            weight_norm(nn.Linear(2, width), dim=1), nn.LeakyReLU(0.1), weight_norm(nn.Linear(width, width), dim=1), nn.LeakyReLU(0.1),
            nn.Linear(width, 4, weight_attr=paddle.ParamAttr(initializer=zero)))
        self.log_scale = self.create_parameter([2], default_initializer=zero)
        self.shift = self.create_parameter([2], default_initializer=zero)

    def forward(self, x):
        x = x * self.log_scale.exp() + self.shift
        s, t = self.net(x * self.mask).chunk(2, axis=-1)
        s = paddle.tanh(s) * (1 - self.mask)
        return x * s.exp() + t * (1 - self.mask), s.sum(-1) + self.log_scale.sum()


class Flow(nn.Layer):
    def __init__(self, depth=6):
        super().__init__()
        self.layers = nn.LayerList([Coupling(i % 2) for i in range(depth)])

    def log_prob(self, x):
        total = 0.0
        for layer in self.layers:
            x, logdet = layer(x)
            total = total + logdet
        return total - 0.5 * (x ** 2).sum(-1) - math.log(2 * math.pi)


flow = Flow()
lr = paddle.optimizer.lr.CyclicLR(base_learning_rate=2e-4, max_learning_rate=4e-3, step_size_up=40)
opt = paddle.optimizer.Adam(learning_rate=lr, parameters=flow.parameters(), grad_clip=nn.ClipGradByGlobalNorm(5.0))
with parity.doctor(flow, opt) as d:
    for i in range(STEPS):
        nll = -flow.log_prob(paddle.to_tensor(moons(128))).mean()
        nll.backward()
        opt.step()
        opt.clear_grad()
        lr.step()
        if i % max(1, STEPS // 6) == 0:
            print(i, "nll", round(nll.item(), 3))
print(d)
print("last nll", nll.item())
