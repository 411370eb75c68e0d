import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
motif = rng.randn(5, 8)


def series(n, length=40):
    y = rng.randint(0, 5, n)
    x = 0.6 * rng.randn(n, length)
    for k in range(n):
        p = rng.randint(0, length - 8)
        x[k, p:p + 8] += 1.2 * motif[y[k]]
    return x[:, None].astype("float32"), y.astype("int64")


class Encoder(nn.Layer):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1D(1, 12, 8)
        self.c2 = nn.Conv1D(12, 12, 3, padding=1)

    def forward(self, x):
        h = F.relu(self.c2(F.relu(self.c1(x))))
        return h.max(axis=2)


class Classifier(nn.Layer):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        return self.head(self.encoder(x))


X, Y = series(900)
Xv, Yv = series(300)
model = Classifier()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
for epoch in range(1, 13):
    order = rng.permutation(len(X))
    losses = []
    for i in range(0, len(X), 45):
        idx = order[i:i + 45]
        loss = F.cross_entropy(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 3 == 0:
        acc = (model(paddle.to_tensor(Xv)).argmax(1).numpy() == Yv).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.3f} val acc {acc:.3f}")
