import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
basis = np.random.randn(5, 60)


def batch(n):
    return paddle.to_tensor(1 / (1 + np.exp(-(2 * np.random.randn(n, 5) @ basis)))).astype("float32")


class TiedDAE(nn.Layer):
    def __init__(self, d=60, h=40):
        super().__init__()
        self.enc = nn.Linear(d, h)
        self.bias = self.create_parameter([d], is_bias=True)
        self.corrupt = nn.Dropout(0.6)

    def forward(self, x):
        h = F.relu(self.enc(self.corrupt(x)))
        return F.sigmoid(F.linear(h, self.enc.weight.t(), self.bias))


m = TiedDAE()
opt = paddle.optimizer.Adam(5e-3, parameters=m.parameters())
for step in range(200):
    x = batch(64)
    loss = F.binary_cross_entropy(m(x), x)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 20 == 0:
        print(f"step {step} bce {float(loss):.4f}")
