import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(12)
np.random.seed(12)
x = np.random.randn(3000, 10).astype("float32")
yr = (1000 * np.sin(x[:, 0]) + 300 * x[:, 1]).astype("float32")
yc = (x[:, 2] + x[:, 3] * x[:, 4] > 0).astype("float32")


class Uncertain(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.reg, self.cls = nn.Linear(64, 1), nn.Linear(64, 1)
        self.s = self.create_parameter([2], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x):
        h = self.body(x)
        return self.reg(h).squeeze(1), self.cls(h).squeeze(1)


scale = float(yr[:2500].std())
net = Uncertain()
opt = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
for ep in range(12):
    for i in np.array_split(np.random.permutation(2500), 50):
        r, c = net(paddle.to_tensor(x[i]))
        lr_ = F.mse_loss(r, paddle.to_tensor(yr[i]) / scale)
        lc = F.binary_cross_entropy_with_logits(c, paddle.to_tensor(yc[i]))
        loss = (paddle.exp(-net.s[0]) * lr_ + net.s[0]) * 0.5 + paddle.exp(-net.s[1]) * lc + 0.5 * net.s[1]
        loss.backward()
        opt.step()
        opt.clear_grad()
    if ep % 3 == 2:
        r, c = net(paddle.to_tensor(x[2500:]))
        rmse = float(np.sqrt(((r.numpy() * scale - yr[2500:]) ** 2).mean()))
        acc = float(((c.numpy() > 0) == (yc[2500:] > 0.5)).mean())
        print("epoch", ep + 1, "loss", round(float(loss), 3), "rmse", round(rmse, 1), "acc", round(acc, 4))
