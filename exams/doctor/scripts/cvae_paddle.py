import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
tpl = (rng.rand(5, 36) > 0.5).astype("float32")


def images(n):
    y = rng.randint(0, 5, n)
    shade = rng.rand(n, 1).astype("float32")
    x = np.clip(tpl[y] * (0.2 + 0.8 * shade) + 0.05 * rng.randn(n, 36), 0, 1)
    return x.astype("float32"), y.astype("int64")


class CVAE(nn.Layer):
    def __init__(self, z=6):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(41, 64), nn.ReLU(), nn.Linear(64, 2 * z))
        self.dec = nn.Sequential(nn.Linear(z + 5, 64), nn.ReLU(), nn.Linear(64, 36))

    def forward(self, x, c):
        mu, logvar = self.enc(paddle.concat([x, c], axis=1)).chunk(2, axis=1)
        z = mu + paddle.exp(0.5 * logvar) * paddle.randn(mu.shape)
        return self.dec(paddle.concat([z, c], axis=1)), mu, logvar


X, Y = images(800)
Xv, Yv = images(200)
model = CVAE()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
for epoch in range(1, 21):
    order = rng.permutation(800)
    for i in range(0, 800, 50):
        x = paddle.to_tensor(X[order[i:i + 50]])
        c = F.one_hot(paddle.to_tensor(Y[order[i:i + 50]]), 5)
        logits, mu, logvar = model(x, c)
        rec = ((F.sigmoid(logits) - x) ** 2).sum() / (2 * 0.05 ** 2) / x.shape[0]
        kl = -0.5 * paddle.sum(1 + logvar - mu * mu - paddle.exp(logvar)) / x.shape[0]
        loss = rec + kl
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 4 == 0 or epoch == 1:
        with paddle.no_grad():
            out, _, _ = model(paddle.to_tensor(Xv), F.one_hot(paddle.to_tensor(Yv), 5))
            mse = float(((F.sigmoid(out) - paddle.to_tensor(Xv)) ** 2).mean())
        print(f"epoch {epoch} loss {float(loss):.3f} kl {float(kl):.3f} val mse {mse:.4f}")
