import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
VOCAB, LEN = 60, 14


def sentences(n):
    ids = rng.randint(2, VOCAB, (n, LEN))
    lab = rng.randint(0, 2, n)
    for i in range(n):
        where = rng.choice(LEN, 4, replace=False)
        ids[i, where] = rng.choice([2, 3, 4, 5] if lab[i] else [6, 7, 8, 9], 4)
    return ids.astype("int64"), lab.astype("int64")


class TextCNN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, 16)
        self.conv = nn.Conv1D(16, 32, 3, padding=1)
        self.out = nn.Linear(32, 2)

    def forward(self, ids):
        h = F.relu(self.conv(self.emb(ids).transpose([0, 2, 1])))
        return self.out(h.max(axis=2))


X, Y = sentences(800)
Xv, Yv = sentences(300)
model = TextCNN()
opt = paddle.optimizer.Momentum(
    learning_rate=0.1,
    momentum=0.9,
    parameters=model.parameters(),
    weight_decay=1e-4,
)
for epoch in range(1, 16):
    order = rng.permutation(len(X))
    losses = []
    for i in range(0, len(X), 40):
        idx = order[i:i + 40]
        loss = F.cross_entropy(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 3 == 0:
        acc = (model(paddle.to_tensor(Xv)).argmax(1).numpy() == Yv).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.4f} val acc {acc:.3f}")
