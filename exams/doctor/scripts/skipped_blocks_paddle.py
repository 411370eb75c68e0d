import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


class Stochastic(nn.Layer):
    """Residual blocks that are left out at random in training: then they have no gradient in that step."""

    def __init__(self, dim=32, depth=5, keep=0.7):
        super().__init__()
        self.inp, self.out, self.keep = nn.Linear(8, dim), nn.Linear(dim, 1), keep
        self.blocks = nn.LayerList([nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim)) for _ in range(depth)])

    def forward(self, x):
        h = self.inp(x)
        for block in self.blocks:
            if not self.training:
                h = h + self.keep * block(h)
            elif rng.random() < self.keep:
                h = h + block(h)
        return self.out(h)


x = rng.normal(size=(1000, 8)).astype("float32")
y = (np.sin(x[:, :1] * 2) + x[:, 1:2] * x[:, 2:3]).astype("float32")
net = Stochastic()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
for epoch in range(25):
    net.train()
    for i in range(0, 800, 40):
        loss = nn.functional.mse_loss(net(paddle.to_tensor(x[i:i + 40])), paddle.to_tensor(y[i:i + 40]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", float(loss))
net.eval()
print("test mse", float(nn.functional.mse_loss(net(paddle.to_tensor(x[800:])), paddle.to_tensor(y[800:]))), "variance", y.var())
