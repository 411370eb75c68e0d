import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(5)
np.random.seed(5)
protos = np.random.randn(30, 16)


class Tower(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(16, 64)
        self.out = nn.Linear(64, 16)
        self.log_temp = self.create_parameter([1], default_initializer=nn.initializer.Constant(2.0))

    def encode(self, x):
        return F.normalize(self.out(F.relu(self.fc(x))), axis=-1)

    def forward(self, a, b):
        return paddle.matmul(self.encode(a), self.encode(b), transpose_y=True) * self.log_temp.exp()


def batch(n, lo, hi):
    k = np.random.permutation(np.arange(lo, hi))[:n]
    v = protos[k]
    mk = lambda: paddle.to_tensor((v + 0.6 * np.random.randn(*v.shape)).astype("float32"))
    return mk(), mk()


net = Tower()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
for step in range(300):
    a, b = batch(20, 0, 30)
    s = net(a, b)
    y = paddle.arange(s.shape[0])
    loss = (F.cross_entropy(s, y) + F.cross_entropy(s.t(), y)) / 2
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 60 == 59:
        with paddle.no_grad():
            a, b = batch(30, 0, 30)
            acc = float((net(a, b).argmax(1) == paddle.arange(30)).astype("float32").mean())
        print("step", step + 1, "loss", round(float(loss), 4), "match acc", round(acc, 4))
