import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
V, MAXLEN = 12, 16


def batch(n):
    ids = np.zeros((n, MAXLEN), dtype="int64")
    ln = rng.randint(4, MAXLEN + 1, n).astype("int64")
    y = np.zeros(n, dtype="int64")
    for k in range(n):
        s = rng.randint(1, V, ln[k])
        ids[k, :ln[k]] = s
        y[k] = int((s == 1).sum() > (s == 2).sum())
    return paddle.to_tensor(ids), paddle.to_tensor(ln), paddle.to_tensor(y)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 32)
        self.fc = nn.Linear(32, 2)

    def forward(self, ids, lengths):
        _, (h, _) = self.lstm(self.emb(ids), sequence_length=lengths)
        return self.fc(h[-1])


net = Net()
clip = nn.ClipGradByNorm(1.0)
opt = paddle.optimizer.Adam(learning_rate=8e-3, parameters=net.parameters(), grad_clip=clip)
xv, lv, yv = batch(400)
hist = []
for step in range(1, 251):
    x, l, y = batch(48)
    loss = F.cross_entropy(net(x, l), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    hist.append(float(loss))
    if step % 50 == 0 or step == 1:
        net.eval()
        with paddle.no_grad():
            acc = float((net(xv, lv).argmax(1) == yv).astype("float32").mean())
        net.train()
        print(f"step {step} loss {np.mean(hist[-50:]):.3f} acc {acc:.3f}")
