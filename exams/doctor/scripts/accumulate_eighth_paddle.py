import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
X = rng.randn(1200, 8).astype("float32")
Y = (np.sin(2 * X[:, :1]) + X[:, 1:2] * X[:, 2:3] + 0.05 * rng.randn(1200, 1)).astype("float32")


class ResBlock(nn.Layer):
    def __init__(self, d):
        super().__init__()
        self.a, self.b, self.n = nn.Linear(d, d), nn.Linear(d, d), nn.LayerNorm(d)

    def forward(self, x):
        return x + self.b(nn.functional.gelu(self.a(self.n(x))))


model = nn.Sequential(nn.Linear(8, 48), ResBlock(48), ResBlock(48), nn.Linear(48, 1))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
mse = nn.MSELoss()
MICRO, ACC = 10, 5
for epoch in range(1, 16):
    order, tot = rng.permutation(1000), 0.0
    for k, i in enumerate(range(0, 1000, MICRO), 1):
        idx = order[i:i + MICRO]
        loss = mse(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx])) / ACC
        loss.backward()
        tot += float(loss) * ACC
        if k % ACC == 0:
            opt.step()
            opt.clear_grad()
    if epoch % 3 == 0 or epoch == 1:
        with paddle.no_grad():
            val = float(mse(model(paddle.to_tensor(X[1000:])), paddle.to_tensor(Y[1000:])))
        print(f"epoch {epoch} train {tot / 100:.4f} val {val:.4f}")
