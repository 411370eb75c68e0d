import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
# a shop with 500 places for articles, of which 40 are in use; rows of the rest get no gradient, ever
used = rng.choice(500, 40, replace=False)
quality = rng.normal(size=500)
i = rng.choice(used, 1500)
season = np.zeros((1500, 4), "float32")
season[np.arange(1500), rng.integers(0, 3, 1500)] = 1          # no winter in the data: the column is zeros
y = (quality[i] + season @ np.array([0.5, -0.5, 0.0, 2.0]) + 0.1 * rng.normal(size=1500)).astype("float32")[:, None]


class Sales(nn.Layer):
    def __init__(self):
        super().__init__()
        self.article = nn.Embedding(500, 6, sparse=True)
        self.mlp = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, i, s):
        return self.mlp(paddle.concat([self.article(i), s], 1))


net = Sales()
opt = paddle.optimizer.Adam(learning_rate=1e-2, lazy_mode=True, parameters=net.parameters())
for epoch in range(10):
    for k in range(0, 1200, 60):
        pred = net(paddle.to_tensor(i[k:k + 60]), paddle.to_tensor(season[k:k + 60]))
        loss = nn.functional.mse_loss(pred, paddle.to_tensor(y[k:k + 60]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
got = net(paddle.to_tensor(i[1200:]), paddle.to_tensor(season[1200:])).numpy()
print("test mse", ((got - y[1200:]) ** 2).mean())
