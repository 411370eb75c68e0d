import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


def batch(n, steps=12):
    """Bits; the label is the bit that was shown with the flag raised."""
    bits, at = rng.integers(0, 2, (n, steps)), rng.integers(0, steps, n)
    flag = np.eye(steps)[at]
    x = np.stack([bits * 2 - 1, flag], -1).astype("float32")
    return paddle.to_tensor(x), paddle.to_tensor(bits[np.arange(n), at])


class Memory(nn.Layer):
    def __init__(self, hidden=32):
        super().__init__()
        self.cell = nn.LSTMCell(2, hidden)
        self.out = nn.Linear(hidden, 2)

    def forward(self, x):
        states = None
        for t in range(x.shape[1]):
            h, states = self.cell(x[:, t], states)
        return self.out(h)


net = Memory()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.parameters())
for it in range(250):
    x, y = batch(64)
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if it % 50 == 0:
        print("iter", it, "loss", float(loss))
x, y = batch(400)
print("loss", float(loss), "accuracy", float((net(x).argmax(1) == y).astype("float32").mean()))
