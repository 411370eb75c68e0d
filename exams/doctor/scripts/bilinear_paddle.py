import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
DIM = 10


class Bilinear(nn.Layer):
    def __init__(self, dim):
        super().__init__()
        init = (rng.randn(dim, dim) * 0.1).astype("float32")
        self.w = self.create_parameter([dim, dim], default_initializer=nn.initializer.Assign(init))
        self.bias = self.create_parameter([1], is_bias=True)

    def forward(self, a, b):
        return (paddle.matmul(a, self.w) * b).sum(axis=1) + self.bias


class Matcher(nn.Layer):
    def __init__(self):
        super().__init__()
        self.score = Bilinear(DIM)
        self.gain = nn.Linear(1, 1)

    def forward(self, a, b):
        return self.gain(self.score(a, b).unsqueeze(1)).squeeze(1)


true_w = rng.randn(DIM, DIM)


def pairs(n):
    a, b = rng.randn(n, DIM), rng.randn(n, DIM)
    y = ((a @ true_w) * b).sum(1) > 0
    return [paddle.to_tensor(v.astype("float32")) for v in (a, b, y)]


model = Matcher()
criterion = nn.BCEWithLogitsLoss()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=model.parameters())
va, vb, vy = pairs(500)
for step in range(1, 401):
    a, b, y = pairs(64)
    loss = criterion(model(a, b), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 80 == 0:
        with paddle.no_grad():
            hit = ((model(va, vb) > 0).astype("float32") == vy).astype("float32").mean()
        print(f"step {step} loss {float(loss):.3f} val acc {float(hit):.3f}")
