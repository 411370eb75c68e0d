import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


def quantise(w, bits=4):
    scale = (w.abs().max() / (2 ** (bits - 1) - 1)).detach()
    q = paddle.round(w / scale) * scale
    return w + (q - w).detach()             # the value is q's, the gradient w's


class QLinear(nn.Linear):
    def forward(self, x):
        return nn.functional.linear(x, quantise(self.weight), self.bias)


y = rng.integers(0, 4, 800)
x = (rng.normal(0, 1.2, (4, 16))[y] + rng.normal(size=(800, 16))).astype("float32")
net = nn.Sequential(QLinear(16, 48), nn.ReLU(), QLinear(48, 4))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for epoch in range(10):
    for i in range(0, 600, 40):
        loss = nn.functional.cross_entropy(net(paddle.to_tensor(x[i:i + 40])), paddle.to_tensor(y[i:i + 40]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
print("accuracy in 4 bits", (net(paddle.to_tensor(x[600:])).numpy().argmax(1) == y[600:]).mean())
