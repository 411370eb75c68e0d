import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(33)
np.random.seed(33)
VOCAB, T = 60, 14


def docs(n):
    x = np.random.randint(10, VOCAB, (n, T))
    y = np.random.randint(0, 3, n)
    for i in range(n):
        x[i, np.random.randint(T)] = y[i] * 3 + np.random.randint(3)
    return x, y


class AttnClassifier(nn.Layer):
    def __init__(self, d=32):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, d)
        self.rnn = nn.GRU(d, d)
        self.score = nn.Linear(d, 1)
        self.fc = nn.Linear(d, 3)

    def forward(self, ids):
        h, _ = self.rnn(self.emb(ids))
        w = F.softmax(self.score(h), axis=1)
        return self.fc((w * h).sum(1))


model = AttnClassifier()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
xtr, ytr = docs(1500)
xte, yte = docs(150)
for epoch in range(6):
    model.train()
    for b in np.array_split(np.random.permutation(1500), 30):
        loss = F.cross_entropy(model(paddle.to_tensor(xtr[b])), paddle.to_tensor(ytr[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    model.eval()
    with paddle.no_grad():
        hits = [int(model(paddle.to_tensor(xte[i:i + 1])).argmax()) == yte[i] for i in range(150)]
    print("epoch", epoch, "loss", round(float(loss), 4), "acc", round(float(np.mean(hits)), 4))
