import math
import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(1, 24), nn.Linear(24, 24), nn.Linear(24, 1)

    def forward(self, x):
        h = paddle.tanh(self.l2(paddle.tanh(self.l1(x))))
        return x * (1 - x) * self.l3(h)


net = Net()
sched = paddle.optimizer.lr.ExponentialDecay(learning_rate=5e-3, gamma=0.997)
opt = paddle.optimizer.Adam(learning_rate=sched, parameters=net.parameters())
grid = paddle.linspace(0, 1, 81).unsqueeze(1)
exact = paddle.sin(2 * math.pi * grid)
for it in range(1, 801):
    x = paddle.rand([48, 1])
    x.stop_gradient = False
    u = net(x)
    (du,) = paddle.grad(u, x, create_graph=True)
    (ddu,) = paddle.grad(du, x, create_graph=True)
    f = -(2 * math.pi) ** 2 * paddle.sin(2 * math.pi * x)
    loss = ((ddu - f) ** 2).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    sched.step()
    if it % 160 == 0 or it == 1:
        with paddle.no_grad():
            err = float(paddle.abs(net(grid) - exact).max())
        print(f"it {it} residual {float(loss):.4f} max error {err:.4f}")
