import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


class Drawer(nn.Layer):
    """Draws one turn of a sine of a given height; the cell's input is always zeros, the state knows it all."""

    def __init__(self, d=32):
        super().__init__()
        self.start = nn.Linear(1, d)
        self.cell = nn.GRUCell(1, d)
        self.out = nn.Linear(d, 1)

    def forward(self, height, steps):
        h = paddle.tanh(self.start(height))
        zeros, outs = paddle.zeros([height.shape[0], 1]), []
        for _ in range(steps):
            o, h = self.cell(zeros, h)
            outs.append(self.out(o))
        return paddle.concat(outs, 1)


wave = paddle.to_tensor(np.sin(np.linspace(0, 2 * np.pi, 14)).astype("float32"))
net = Drawer()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0))
for step in range(150):
    height = paddle.to_tensor(rng.uniform(0.3, 1.5, (32, 1)).astype("float32"))
    loss = nn.functional.mse_loss(net(height, 14), height * wave)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 40 == 0:
        print("step", step, "loss", float(loss))
print("final", float(loss))
