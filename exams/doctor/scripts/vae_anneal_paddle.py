import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
t = np.linspace(0, 1, 50)


def curves(n):
    a, f = np.random.rand(n, 1) + 0.5, np.random.randint(1, 4, (n, 1))
    return paddle.to_tensor((a * np.sin(2 * np.pi * f * t)).astype("float32"))


class VAE(nn.Layer):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(50, 64), nn.ReLU(), nn.Linear(64, 8))
        self.dec = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 50))

    def forward(self, x):
        mu, lv = self.enc(x).chunk(2, axis=1)
        return self.dec(mu + paddle.exp(lv / 2) * paddle.randn(mu.shape)), mu, lv


m = VAE()
opt = paddle.optimizer.Adam(3e-3, parameters=m.parameters())
for step in range(200):
    beta = min(1.0, max(0.0, (step - 50) / 100)) * 0.5
    x = curves(64)
    r, mu, lv = m(x)
    rec = F.mse_loss(r, x, reduction="sum") / 64
    kl = -0.5 * paddle.sum(1 + lv - mu ** 2 - lv.exp()) / 64
    loss = rec + beta * kl
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 20 == 0:
        print(f"step {step} beta {beta:.2f} loss {float(loss):.3f} rec {float(rec):.3f} kl {float(kl):.3f}")
