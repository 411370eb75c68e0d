import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(8)
np.random.seed(8)


def bars(n, s=8):
    x = np.zeros((n, s, s), "float32")
    for i in range(n):
        if np.random.rand() < 0.5:
            x[i, np.random.choice(s, 2, replace=False)] = 1
        else:
            x[i, :, np.random.choice(s, 2, replace=False)] = 1
    return x.reshape(n, -1)


class VAE(nn.Layer):
    def __init__(self, z=8):
        super().__init__()
        self.enc = nn.Linear(64, 128)
        self.mu, self.logvar = nn.Linear(128, z), nn.Linear(128, z)
        self.dec = nn.Sequential(nn.Linear(z, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, x):
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + paddle.exp(0.5 * logvar) * paddle.randn(mu.shape)
        return self.dec(z), mu, logvar


def elbo_loss(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]
    kl = -0.5 * paddle.sum(1 + logvar - mu ** 2 - paddle.exp(logvar)) / x.shape[0]
    return rec + kl, rec, kl


data = bars(2000)
model = VAE()
opt = paddle.optimizer.Adam(parameters=model.parameters(), learning_rate=2e-3)
for epoch in range(25):
    np.random.shuffle(data)
    for i in range(0, 2000, 100):
        xb = paddle.to_tensor(data[i:i + 100])
        logits, mu, logvar = model(xb)
        loss, rec, kl = elbo_loss(logits, xb, mu, logvar)
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {float(loss):.2f} kl {float(kl):.2f} rec {float(rec):.2f}")
with paddle.no_grad():
    gen = F.sigmoid(model.dec(paddle.randn([300, 8]))).numpy()
    nearest = ((gen[:, None] - data[None, :500]) ** 2).sum(-1).min(1)
print("sample distance to nearest data", round(float(nearest.mean()), 3))
