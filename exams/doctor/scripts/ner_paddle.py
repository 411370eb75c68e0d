import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(123)
np.random.seed(123)
label_vocab = {"O": 0, "B-LOC": 1, "I-LOC": 2, "B-PER": 3}
PAD_ID = -1


def example():
    L = np.random.randint(6, 18)
    w = np.random.randint(20, 60, L)
    t = np.zeros(L, "int64")
    for _ in range(2):
        p = np.random.randint(0, L - 1)
        if np.random.rand() < 0.5:
            w[p], w[p + 1] = np.random.randint(1, 6), np.random.randint(20, 60)
            t[p], t[p + 1] = 1, 2
        else:
            w[p], t[p] = np.random.randint(6, 11), 3
    for k in range(L):
        if w[k] >= 20 and not (k > 0 and 1 <= w[k - 1] < 6):
            t[k] = 0
        elif w[k] < 6:
            t[k] = 1
        elif w[k] < 11:
            t[k] = 3
        else:
            t[k] = 2
    return w, t


def batchify(rows):
    m = max(len(w) for w, _ in rows)
    x = np.zeros((len(rows), m), "int64")
    y = np.full((len(rows), m), PAD_ID, "int64")
    n = np.array([len(w) for w, _ in rows])
    for i, (w, t) in enumerate(rows):
        x[i, :len(w)], y[i, :len(t)] = w, t
    return paddle.to_tensor(x), paddle.to_tensor(n), paddle.to_tensor(y)


class BiGRU(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(60, 24, padding_idx=0)
        self.gru = nn.GRU(24, 32, direction="bidirect")
        self.fc = nn.Linear(64, len(label_vocab))

    def forward(self, x, n):
        h, _ = self.gru(self.emb(x), sequence_length=n)
        return self.fc(h)


train = [example() for _ in range(960)]
dev = batchify([example() for _ in range(200)])
model = BiGRU()
loss_fn = nn.CrossEntropyLoss(ignore_index=PAD_ID)
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
for epoch in range(4):
    np.random.shuffle(train)
    for i in range(0, len(train), 32):
        x, n, y = batchify(train[i:i + 32])
        loss = loss_fn(model(x, n), y.unsqueeze(-1))
        loss.backward()
        opt.step()
        opt.clear_grad()
    x, n, y = dev
    pred, gold = model(x, n).argmax(-1).numpy(), y.numpy()
    acc = (pred == gold)[gold != PAD_ID].mean()
    print("epoch", epoch, "loss", round(float(loss), 4), "token acc", round(float(acc), 4))
