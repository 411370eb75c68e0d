import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.autograd import PyLayer


class RoundSTE(PyLayer):
    @staticmethod
    def forward(ctx, x, levels):
        return paddle.round(x * levels) / levels

    @staticmethod
    def backward(ctx, g):
        return g


class QLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, RoundSTE.apply(paddle.clip(self.weight, -1, 1), 7.0), self.bias)


paddle.seed(22)
np.random.seed(22)
x = np.random.randn(2400, 10).astype("float32")
y = ((x[:, 0] * x[:, 1] + x[:, 2]) > 0).astype("int64")
net = nn.Sequential(QLinear(10, 64), nn.ReLU(), QLinear(64, 64), nn.ReLU(), nn.Linear(64, 2))
opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for ep in range(10):
    for i in np.array_split(np.random.permutation(2000), 40):
        loss = F.cross_entropy(net(paddle.to_tensor(x[i])), paddle.to_tensor(y[i]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    acc = float((net(paddle.to_tensor(x[2000:])).argmax(1).numpy() == y[2000:]).mean())
    if ep % 2:
        print("epoch", ep + 1, "loss", round(float(loss), 4), "acc", round(acc, 4))
