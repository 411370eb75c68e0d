import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
D = 16
A = rng.randn(D, 3)
B = rng.randn(D, 4)


def faces(n):
    x = rng.randn(n, D)
    return x.astype("float32"), (x @ A).argmax(1).astype("int64"), (np.abs(x) @ B).argmax(1).astype("int64")


class MultiHead(nn.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(D, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU())
        self.hair = nn.Linear(64, 3)
        self.mood = nn.Linear(64, 4)

    def forward(self, x):
        h = self.trunk(x)
        return {"hair": self.hair(h), "mood": self.mood(h)}


X, H, M = faces(1200)
Xv, Hv, Mv = faces(400)
labels = {"hair": H, "mood": M}
model = MultiHead()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
for epoch in range(1, 16):
    order = rng.permutation(1200)
    losses = []
    for i in range(0, 1200, 60):
        idx = order[i:i + 60]
        out = model(paddle.to_tensor(X[idx]))
        loss = paddle.zeros([])
        for name in ("hair", "mood"):
            loss = loss + F.cross_entropy(out[name], paddle.to_tensor(labels[name][idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 3 == 0:
        out = model(paddle.to_tensor(Xv))
        hair = (out["hair"].argmax(1).numpy() == Hv).mean()
        mood = (out["mood"].argmax(1).numpy() == Mv).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.3f} hair acc {hair:.3f} mood acc {mood:.3f}")
