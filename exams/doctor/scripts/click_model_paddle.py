import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
U, I = 80, 120
pu, qi = rng.randn(U, 4), rng.randn(I, 4)


def clicks(n):
    u, i = rng.randint(0, U, n), rng.randint(0, I, n)
    p = 1 / (1 + np.exp(-(2.5 * (pu[u] * qi[i]).sum(1) - 4.0)))
    return u.astype("int64"), i.astype("int64"), (rng.rand(n) < p).astype("float32")


class NeuMF(nn.Layer):
    def __init__(self, d=12):
        super().__init__()
        self.user, self.item = nn.Embedding(U, d), nn.Embedding(I, d)
        self.mlp = nn.Sequential(nn.Linear(2 * d, 32), nn.ReLU(), nn.Linear(32, 8))
        self.out = nn.Linear(d + 8, 1)

    def forward(self, u, i):
        a, b = self.user(u), self.item(i)
        h = self.mlp(paddle.concat([a, b], axis=1))
        z = self.out(paddle.concat([a * b, h], axis=1)).squeeze(1)
        return z


u, i, c = clicks(6000)
uv, iv, cv = clicks(1500)
model = NeuMF()
criterion = nn.BCEWithLogitsLoss()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())


def ctr(n=None):
    with paddle.no_grad():
        s = model(paddle.to_tensor(uv), paddle.to_tensor(iv))
        return float(criterion(s, paddle.to_tensor(cv)))


for epoch in range(1, 9):
    order = rng.permutation(len(u))
    losses = []
    for k in range(0, len(u), 120):
        idx = order[k:k + 120]
        score = model(paddle.to_tensor(u[idx]), paddle.to_tensor(i[idx]))
        loss = criterion(score, paddle.to_tensor(c[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 2 == 0:
        print(f"epoch {epoch} train {np.mean(losses):.3f} val logloss {ctr():.3f} click rate {cv.mean():.3f}")
