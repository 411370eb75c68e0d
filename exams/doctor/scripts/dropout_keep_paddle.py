import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
keep_prob = 0.9


class TextCNN(nn.Layer):
    def __init__(self, vocab=60, d=24, n_cls=4):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.drop1 = nn.Dropout(p=1 - keep_prob)
        self.convs = nn.LayerList([nn.Conv1D(d, 16, k, padding=k // 2) for k in (1, 3, 5)])
        self.drop2 = nn.Dropout(p=1 - keep_prob)
        self.fc1 = nn.Linear(48, 32)
        self.drop3 = nn.Dropout(p=1 - keep_prob)
        self.fc2 = nn.Linear(32, n_cls)

    def forward(self, ids):
        h = self.drop1(self.emb(ids)).transpose([0, 2, 1])
        h = paddle.concat([F.relu(c(h)).max(axis=2) for c in self.convs], axis=1)
        h = F.relu(self.fc1(self.drop2(h)))
        return self.fc2(self.drop3(h))


def make(n):
    y = np.random.randint(0, 4, n)
    ids = np.random.randint(8, 60, (n, 16))
    for i in range(n):
        p = np.random.choice(16, 2, replace=False)
        ids[i, p] = [2 * y[i], 2 * y[i] + 1]
    return paddle.to_tensor(ids), paddle.to_tensor(y)


model = TextCNN()
opt = paddle.optimizer.Adam(5e-3, parameters=model.parameters())
for step in range(150):
    ids, y = make(64)
    loss = F.cross_entropy(model(ids), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 15 == 0:
        print(f"step {step} loss {float(loss):.4f}")
model.eval()
ids, y = make(400)
print("test loss", float(F.cross_entropy(model(ids), y)), "acc", float((model(ids).argmax(1) == y).astype("float32").mean()))
