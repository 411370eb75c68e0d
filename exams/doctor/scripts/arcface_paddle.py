import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
C, D = 50, 30
centers = np.random.randn(C, D)


def batch(n):
    y = np.random.randint(0, C, n)
    x = centers[y] + 1.3 * np.random.randn(n, D)
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y)


class CosFace(nn.Layer):
    def __init__(self, d, n_cls, s=24.0, m=0.15):
        super().__init__()
        self.weight = self.create_parameter([d, n_cls])
        self.s, self.m, self.n_cls = s, m, n_cls

    def forward(self, feat, label):
        cos = paddle.matmul(F.normalize(feat, axis=1), F.normalize(self.weight, axis=0))
        logits = cos - self.m * F.one_hot(label, self.n_cls)
        return F.cross_entropy(self.s * logits, label), cos


net = nn.Sequential(nn.Linear(D, 64), nn.ReLU(), nn.Linear(64, 16))
head = CosFace(16, C)
opt = paddle.optimizer.Momentum(0.1, 0.9, parameters=net.parameters() + head.parameters())
for step in range(150):
    x, y = batch(128)
    loss, cos = head(net(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 15 == 0:
        print(f"step {step} loss {float(loss):.4f} acc {float((cos.argmax(1) == y).astype('float32').mean()):.3f}")
