import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
BASES, LEN = "ACGT", 10
stoi = {b: i for i, b in enumerate(BASES)}
effect = np.array([2.0, -0.7, -0.7, -0.6])


def reads(n):
    ids = rng.randint(0, 4, (n, LEN))
    gate = np.where(ids == 0, 1.0, 0.0)
    y = effect[ids].sum(1) / 3 + 0.5 * (gate[:, :-1] * gate[:, 1:]).sum(1) + 0.05 * rng.randn(n)
    return ids.astype("int64"), y.astype("float32")[:, None]


class MotifNet(nn.Layer):
    def __init__(self, d=3):
        super().__init__()
        self.emb = nn.Embedding(len(stoi), d)
        self.mix = nn.Linear(d, d, bias_attr=False)
        self.out = nn.Linear(d, 1, bias_attr=False)

    def forward(self, ids):
        e = self.emb(ids)
        pair = e[:, :-1] * e[:, 1:]
        return self.out(self.mix(e).sum(axis=1) + pair.sum(axis=1))


X, Y = reads(1500)
Xv, Yv = reads(400)
model = MotifNet()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=model.parameters())
for epoch in range(1, 16):
    order = rng.permutation(len(X))
    losses = []
    for i in range(0, len(X), 50):
        idx = order[i:i + 50]
        loss = F.mse_loss(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 3 == 0:
        with paddle.no_grad():
            val = float(F.mse_loss(model(paddle.to_tensor(Xv)), paddle.to_tensor(Yv)))
        print(f"epoch {epoch} train {np.mean(losses):.4f} val {val:.4f} variance {Yv.var():.4f}")
