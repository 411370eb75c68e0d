import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
P, Q = rng.randn(6, 24), rng.randn(6, 18)


def pairs(n):
    z = rng.randn(n, 6)
    a = np.tanh(2 * z @ P) + 0.3 * rng.randn(n, 24)
    b = np.tanh(2 * z @ Q) + 0.3 * rng.randn(n, 18)
    return paddle.to_tensor(a.astype("float32")), paddle.to_tensor(b.astype("float32"))


class Tower(nn.Layer):
    def __init__(self, i, o=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(i, 64), nn.ReLU(), nn.Linear(64, o))

    def forward(self, x):
        return F.normalize(self.net(x), axis=1)


class CLIPLike(nn.Layer):
    def __init__(self, temperature=0.07):
        super().__init__()
        self.image, self.text = Tower(24), Tower(18)
        self.temperature = temperature

    def forward(self, a, b):
        sim = paddle.matmul(self.image(a), self.text(b), transpose_y=True)
        return sim / self.temperature


model = CLIPLike()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters())
av, bv = pairs(200)
for step in range(1, 251):
    a, b = pairs(64)
    logits = model(a, b)
    target = paddle.arange(64)
    loss = 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 50 == 0:
        with paddle.no_grad():
            rank = model(av, bv).argmax(1).numpy()
        print(f"step {step} loss {float(loss):.3f} recall@1 of 200 {(rank == np.arange(200)).mean():.3f}")
