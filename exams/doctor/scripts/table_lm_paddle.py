import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
V, T = 14, 20
table = rng.permutation(V)


def corpus(n):
    seq = np.zeros((n, T + 1), dtype="int64")
    seq[:, 0] = rng.randint(0, V, n)
    for t in range(T):
        noise = rng.rand(n) < 0.1
        seq[:, t + 1] = np.where(noise, rng.randint(0, V, n), table[seq[:, t]])
    return seq


class RNNLM(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, 24)
        self.gru = nn.GRU(24, 48)
        self.out = nn.Linear(48, V)

    def forward(self, ids):
        h, _ = self.gru(self.emb(ids))
        return self.out(h)


train, test = corpus(600), corpus(200)
model = RNNLM()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())

for epoch in range(1, 11):
    order = rng.permutation(len(train))
    losses = []
    for i in range(0, len(train), 40):
        ids = paddle.to_tensor(train[order[i:i + 40]])
        inputs, labels = ids[:, :-1], ids[:, 1:]
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 2 == 0:
        with paddle.no_grad():
            ids = paddle.to_tensor(test)
            pred = model(ids[:, :-1]).argmax(-1).numpy()
        acc = (pred == test[:, 1:]).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.3f} next-token accuracy {acc:.3f}")
