import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
C, LEN = 4, 3
glyph = rng.randn(C, 3, 6)


def batch(n):
    y = rng.randint(1, C + 1, (n, LEN))
    x = np.zeros((n, LEN * 5, 6))
    for k in range(n):
        for j, c in enumerate(y[k]):
            x[k, j * 5:j * 5 + 3] = glyph[c - 1]
    return paddle.to_tensor((x + 0.1 * rng.randn(*x.shape)).astype("float32")), paddle.to_tensor(y.astype("int32")), y


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 32, direction="bidirect")
        self.fc = nn.Linear(64, C + 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[0])


def decode(z):
    out = []
    for p in z.argmax(-1).numpy():
        out.append([c for k, c in enumerate(p) if c and (k == 0 or c != p[k - 1])])
    return out


net = Net()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.parameters())
xv, _, wv = batch(150)
for step in range(1, 121):
    x, y, _ = batch(32)
    z = net(x).transpose([1, 0, 2])
    n_in = paddle.full([32], z.shape[0], dtype="int64")
    n_out = paddle.full([32], LEN, dtype="int64")
    loss = F.ctc_loss(z, y, n_in, n_out, blank=0)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 30 == 0 or step == 1:
        with paddle.no_grad():
            acc = np.mean([g == list(w) for g, w in zip(decode(net(xv)), wv)])
        print(f"step {step} ctc {float(loss):.3f} exact {acc:.3f}")
