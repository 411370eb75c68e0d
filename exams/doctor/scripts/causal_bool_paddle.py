import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
V, T = 7, 10


def rows(n):
    """Each next number is the sum of the last two, modulo 7."""
    s = rng.integers(0, V, (n, T + 1))
    for i in range(2, T + 1):
        s[:, i] = (s[:, i - 1] + s[:, i - 2]) % V
    return s


class LM(nn.Layer):
    def __init__(self, d=32):
        super().__init__()
        self.tok = nn.Embedding(V, d)
        self.pos = nn.Embedding(T, d)
        self.block = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0), 1)
        self.out = nn.Linear(d, V)

    def forward(self, ids):
        n = ids.shape[1]
        mask = paddle.tril(paddle.ones([n, n])).astype("bool")       # nobody looks ahead
        h = self.tok(ids) + self.pos(paddle.arange(n))
        return self.out(self.block(h, mask))


net = LM()
opt = paddle.optimizer.Adam(learning_rate=4e-3, parameters=net.parameters())
for step in range(250):
    s = paddle.to_tensor(rows(32))
    loss = nn.functional.cross_entropy(net(s[:, :-1]).reshape([-1, V]), s[:, 1:].reshape([-1]))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 50 == 0:
        print("step", step, "loss", float(loss))
s = rows(50)
ids = s[:, :6].copy()
for _ in range(4):
    nxt = net(paddle.to_tensor(ids))[:, -1].argmax(-1).numpy()
    ids = np.concatenate([ids, nxt[:, None]], 1)
print("loss", float(loss), "generated right", (ids[:, 6:] == s[:, 6:10]).mean())
