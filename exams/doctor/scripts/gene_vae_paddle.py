import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
load = rng.randn(3, 30)


def expression(n):
    return (rng.randn(n, 3) @ load + 0.3 * rng.randn(n, 30)).astype("float32")


class GeneVAE(nn.Layer):
    def __init__(self, z=5):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(30, 64), nn.ReLU())
        self.mu, self.logvar = nn.Linear(64, z), nn.Linear(64, z)
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, 30))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + paddle.exp(0.5 * logvar) * paddle.randn(mu.shape)
        return self.dec(z), mu, logvar


X, Xv = expression(1000), expression(300)
model = GeneVAE()
opt = paddle.optimizer.Adam(learning_rate=1e-3, parameters=model.parameters(), grad_clip=nn.ClipGradByGlobalNorm(5.0))
for epoch in range(1, 21):
    order = rng.permutation(1000)
    for i in range(0, 1000, 50):
        x = paddle.to_tensor(X[order[i:i + 50]])
        out, mu, logvar = model(x)
        rec = F.mse_loss(out, x, reduction="sum") / x.shape[0]
        kl = -0.5 * paddle.sum(1 + logvar - mu ** 2 - paddle.exp(logvar)) / x.shape[0]
        loss = rec + kl
        opt.clear_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 0:
        with paddle.no_grad():
            s = model.dec(paddle.randn([300, 5])).numpy()
        gap = np.abs(np.cov(s.T) - np.cov(Xv.T)).mean()
        print(f"epoch {epoch} loss {float(loss):.2f} rec {float(rec):.2f} kl term {float(kl):.2f} covariance gap of samples {gap:.3f}")
