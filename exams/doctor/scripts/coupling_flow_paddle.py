import math
import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)


def banana(n):
    a = rng.randn(n)
    return np.stack([a, 0.5 * a ** 2 + 0.3 * rng.randn(n) - 0.5], 1).astype("float32")


class Coupling(nn.Layer):
    def __init__(self, first):
        super().__init__()
        self.first = first
        self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))

    def forward(self, x):
        a, b = x[:, :1], x[:, 1:]
        if self.first:
            a, b = b, a
        s, t = self.net(a).chunk(2, axis=1)
        s = paddle.tanh(s)
        b = b * paddle.exp(s) + t
        return paddle.concat([b, a] if self.first else [a, b], axis=1), s.squeeze(1)


class Flow(nn.Layer):
    def __init__(self, n=4):
        super().__init__()
        self.layers = nn.LayerList([Coupling(k % 2 == 0) for k in range(n)])

    def log_prob(self, x):
        total = 0.0
        for layer in self.layers:
            x, ld = layer(x)
            total = total + ld
        return -0.5 * (x ** 2).sum(axis=1) - math.log(2 * math.pi) + total


flow = Flow()
sched = paddle.optimizer.lr.MultiStepDecay(learning_rate=5e-3, milestones=[250, 350], gamma=0.3)
opt = paddle.optimizer.Adam(learning_rate=sched, parameters=flow.parameters(), grad_clip=nn.ClipGradByGlobalNorm(5.0))
test = paddle.to_tensor(banana(1000))
for it in range(1, 401):
    loss = -flow.log_prob(paddle.to_tensor(banana(200))).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    sched.step()
    if it % 80 == 0 or it == 1:
        with paddle.no_grad():
            v = float(-flow.log_prob(test).mean())
        print(f"it {it} lr {sched.get_lr():.1e} nll {float(loss):.3f} test nll {v:.3f}")
