"""Estimates mutual information: a critic, bounded by spectral normalisation, maximises a lower bound."""
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.nn.utils import spectral_norm
import parity

paddle.seed(9)
STEPS = 20
BATCH, RHO = 128, 0.9


def pairs(n):
    x = paddle.randn([n, 1])
    y = RHO * x + (1 - RHO ** 2) ** 0.5 * paddle.randn([n, 1])
    return x, y


class Critic(nn.Layer):
    def __init__(self, width=64):
        super().__init__()
        self.fx = nn.Sequential(spectral_norm(nn.Linear(1, width)), nn.ReLU(), spectral_norm(nn.Linear(width, 16)))
        self.fy = nn.Sequential(spectral_norm(nn.Linear(1, width)), nn.ReLU(), spectral_norm(nn.Linear(width, 16)))
        self.temperature = self.create_parameter([1], default_initializer=nn.initializer.Constant(1.0))

    def forward(self, x, y):
        return paddle.matmul(self.fx(x), self.fy(y), transpose_y=True) * self.temperature.exp()


critic = Critic()
schedule = paddle.optimizer.lr.LinearWarmup(paddle.optimizer.lr.CosineAnnealingDecay(5e-3, T_max=400),
                                            warmup_steps=5, start_lr=1e-4, end_lr=5e-3)
optimizer = paddle.optimizer.Adam(schedule, beta1=0.5, parameters=critic.parameters())
history = []
with parity.doctor([critic], [optimizer]) as d:
    for i in range(STEPS):
        x, y = pairs(BATCH)
        scores = critic(x, y)
        joint = paddle.diagonal(scores)
        bound = (joint - paddle.logsumexp(scores, axis=1)).mean() + paddle.log(paddle.to_tensor(float(BATCH)))
        loss = -bound                       # gradient ascent
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        schedule.step()
        history.append(float(bound))
        print(i, history[-1])
print(d)
