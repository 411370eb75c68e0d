"""Physics-informed network for the damped oscillator u'' + 2 b u' + w^2 u = 0, u(0) = 1, u'(0) = 0."""
import numpy as np
import paddle
from paddle import nn
import parity

STEPS = 20
B, W = 0.4, 3.0
paddle.seed(11)


class PINN(nn.Layer):
    def __init__(self, width=32, depth=3):
        super().__init__()
        self.freq = self.create_parameter([1, width], default_initializer=nn.initializer.Uniform(-3.0, 3.0))
        self.linears = nn.LayerList([nn.Linear(width, width) for _ in range(depth)])
        self.last = nn.Linear(width, 1)

    def forward(self, t):
        h = paddle.sin(paddle.matmul(t, self.freq))
        for linear in self.linears:
            h = paddle.tanh(linear(h))
        return self.last(h)


def derivative(u, t):
    return paddle.grad(u, t, create_graph=True)[0]


def residual(net, t):
    u = net(t)
    u_t = derivative(u, t)
    u_tt = derivative(u_t, t)
    return u_tt + 2 * B * u_t + W * W * u


def exact(t):
    w = np.sqrt(W * W - B * B)
    return np.exp(-B * t) * (np.cos(w * t) + B / w * np.sin(w * t))


net = PINN()
scheduler = paddle.optimizer.lr.StepDecay(2e-3, step_size=400, gamma=0.5)
optimizer = paddle.optimizer.Adam(scheduler, parameters=net.parameters())
t0 = paddle.zeros([1, 1])
t0.stop_gradient = False

with parity.doctor(net, optimizer) as d:
    for step in range(STEPS):
        d.mark()
        t = paddle.rand([64, 1]) * 2.0
        t.stop_gradient = False
        loss_pde = residual(net, t).pow(2).mean()
        u0 = net(t0)
        loss_ic = (u0 - 1.0).pow(2).mean() + derivative(u0, t0).pow(2).mean()
        loss = loss_pde + 20.0 * loss_ic
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        scheduler.step()
        if step % 100 == 99 or step == STEPS - 1:
            print(step, float(loss_pde), float(loss_ic))

grid = np.linspace(0, 2, 50, dtype="float32")[:, None]
with paddle.no_grad():
    error = np.abs(net(paddle.to_tensor(grid)).numpy() - exact(grid)).max()
print("largest error", error)
print(d)
