"""Neural ODE with a plain Euler loop; the gradient that leaves each step is clipped by a PyLayer."""
import numpy as np
import paddle
from paddle import nn
from paddle.autograd import PyLayer
import parity

paddle.seed(4)
rng = np.random.default_rng(4)
STEPS = 20


class ClipGradient(PyLayer):
    @staticmethod
    def forward(ctx, x, limit):
        ctx.limit = limit
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        return paddle.clip(dy, -ctx.limit, ctx.limit)


class Flow(nn.Layer):
    def __init__(self, hidden=48):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))
        last = self.net[-1]                  # starts as the identity: no motion at all
        last.weight.set_value(paddle.zeros_like(last.weight))

    def forward(self, state, n_steps, dt):
        path = [state]
        for _ in range(n_steps):
            state = ClipGradient.apply(state, 1.0)
            state = state + dt * self.net(state)
            path.append(state)
        return paddle.stack(path, axis=1)


def trajectories(n, n_steps=15, dt=0.1):
    s = rng.uniform(-2, 2, (n, 2))
    path = [s]
    for _ in range(n_steps):                 # a damped spiral
        s = s + dt * np.stack([-0.2 * s[:, 0] + 2 * s[:, 1], -2 * s[:, 0] - 0.2 * s[:, 1]], 1)
        path.append(s)
    return paddle.to_tensor(np.stack(path, 1).astype("float32"))


flow = Flow()
adam = paddle.optimizer.Adam(learning_rate=5e-3, parameters=flow.parameters(),
                             grad_clip=nn.ClipGradByGlobalNorm(5.0))


def train_step():
    real = trajectories(32)
    path = flow(real[:, 0], 15, 0.1)
    loss = (path - real).abs().mean()
    adam.clear_grad()
    loss.backward()
    adam.step()
    return loss.item()


with parity.doctor(flow, adam) as d:
    for step in range(STEPS):
        d.mark()
        print(step, train_step())
print(d)
