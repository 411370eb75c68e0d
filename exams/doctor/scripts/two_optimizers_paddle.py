import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
ids = rng.integers(0, 50, (1500, 3))
hidden = rng.normal(size=50)
y = np.tanh(hidden[ids].sum(1, keepdims=True)).astype("float32")
ids = paddle.to_tensor(ids)
y = paddle.to_tensor(y)


class Tabular(nn.Layer):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 4)
        self.mlp = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, ids):
        return self.mlp(self.embed(ids).flatten(1))


net = Tabular()
opt_embed = paddle.optimizer.Adam(learning_rate=2e-2, parameters=net.embed.parameters())
opt_dense = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.mlp.parameters())
for epoch in range(12):
    total = 0.0
    for i in range(0, 1200, 60):
        loss = nn.functional.mse_loss(net(ids[i:i + 60]), y[i:i + 60])
        loss.backward()
        opt_embed.step()
        opt_dense.step()
        opt_embed.clear_grad()
        opt_dense.clear_grad()
        total += float(loss)
    print(f"epoch {epoch} loss {total / 20:.5f}")
with paddle.no_grad():
    print("test mse", float(nn.functional.mse_loss(net(ids[1200:]), y[1200:])))
