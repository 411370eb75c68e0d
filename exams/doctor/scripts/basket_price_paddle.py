import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
ITEMS = 12
price = rng.uniform(1, 4, ITEMS)
baskets = rng.integers(0, ITEMS, (900, 5))
total = price[baskets].sum(1) + 2.0 * (baskets == 3).any(1) * (baskets == 0).any(1)
target = ((total - total.mean()) / total.std()).astype("float32")[:, None]


class Basket(nn.Layer):
    """The sum of what each item adds, and a small MLP on top."""

    def __init__(self):
        super().__init__()
        self.item = nn.Embedding(ITEMS, 8)
        self.mlp = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, ids):
        return self.mlp(self.item(ids).sum(1))


x, y = paddle.to_tensor(baskets), paddle.to_tensor(target)
net = Basket()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
for epoch in range(20):
    loss_sum = 0.0
    for i in range(0, 700, 50):
        loss = nn.functional.mse_loss(net(x[i:i + 50]), y[i:i + 50])
        loss.backward()
        opt.step()
        opt.clear_grad()
        loss_sum += float(loss)
    if epoch % 4 == 3:
        print("epoch", epoch, "loss", loss_sum / 14)
with paddle.no_grad():
    print("test mse", float(nn.functional.mse_loss(net(x[700:]), y[700:])))
