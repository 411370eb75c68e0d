import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(1)
np.random.seed(1)


class VAE(nn.Layer):
    def __init__(self, d=64, z=3):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, 64), nn.ReLU())
        self.fc_mu = nn.Linear(64, z)
        self.fc_lv = nn.Linear(64, z)
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, d))

    def sample(self, mu, logvar):
        std = paddle.exp(0.5 * logvar)
        z = mu + std * paddle.randn(mu.shape)
        return z

    def forward(self, x):
        h = self.enc(x)
        mu, lv = self.fc_mu(h), self.fc_lv(h)
        return self.dec(self.sample(mu, lv)), mu, lv


t = np.linspace(0, 2 * np.pi, 64)


def waves(n):
    ph = np.random.rand(n, 1) * 2 * np.pi
    am = 0.5 + np.random.rand(n, 1)
    return paddle.to_tensor((am * np.sin(t[None] + ph)).astype("float32"))


model = VAE()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
for step in range(180):
    x = waves(64)
    recon, mu, lv = model(x)
    rec = F.mse_loss(recon, x, reduction="none").sum(axis=1).mean()
    kl = (-0.5 * (1 + lv - mu.pow(2) - lv.exp()).sum(axis=1)).mean()
    loss = rec + 0.1 * kl
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 18 == 0:
        print(f"step {step} rec {float(rec):.3f} kl {float(kl):.4f}")
x = waves(500)
print("final rec", float(F.mse_loss(model(x)[0], x)) * 64, "power", float((x ** 2).mean()) * 64)
