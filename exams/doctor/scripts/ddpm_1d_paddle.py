import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(21)
np.random.seed(21)
T = 50
beta = np.linspace(1e-3, 0.15, T).astype("float32")
ab = np.cumprod(1 - beta)
abt = paddle.to_tensor(ab)


class Eps(nn.Layer):
    def __init__(self):
        super().__init__()
        self.t = nn.Embedding(T, 128)
        self.i, self.m, self.o = nn.Linear(1, 128), nn.Linear(128, 128), nn.Linear(128, 1)

    def forward(self, x, t):
        h = F.silu(self.i(x) + self.t(t))
        return self.o(F.silu(self.m(h)))


def x0(n):
    return (np.random.choice([-1.0, 1.0], (n, 1)) + 0.1 * np.random.randn(n, 1)).astype("float32")


net = Eps()
opt = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
shadow = [p.clone().detach() for p in net.parameters()]
for step in range(1500):
    x = paddle.to_tensor(x0(256))
    t = paddle.randint(0, T, [256])
    a = paddle.gather(abt, t).unsqueeze(1)
    e = paddle.randn(x.shape)
    loss = F.mse_loss(net(a.sqrt() * x + (1 - a).sqrt() * e, t), e)
    loss.backward()
    opt.step()
    opt.clear_grad()
    d = min(0.99, (step + 1) / (step + 10))
    shadow = [d * s + (1 - d) * p.detach() for s, p in zip(shadow, net.parameters())]
    if step % 300 == 299:
        print("step", step + 1, "loss", round(float(loss), 4))
for p, s in zip(net.parameters(), shadow):
    p.set_value(s)
with paddle.no_grad():
    x = paddle.randn([1000, 1])
    for k in reversed(range(T)):
        e = net(x, paddle.full([1000], k, dtype="int64"))
        x = (x - float(beta[k] / np.sqrt(1 - ab[k])) * e) / float(np.sqrt(1 - beta[k]))
        if k:
            x = x + float(np.sqrt(beta[k])) * paddle.randn(x.shape)
print("distance to modes", round(float((x.abs() - 1).abs().mean()), 4))
