import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(20)
np.random.seed(20)
K = 5
P = np.random.randn(K, 12) * 0.8


def mk(n):
    y = np.random.randint(0, K, n)
    return (P[y] + np.random.randn(n, 12)).astype("float32"), y


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 8))
        self.w = nn.Linear(8, K)
        self.register_buffer("centers", paddle.zeros([K, 8]))

    def forward(self, x):
        h = self.f(x)
        return h, self.w(h)

    @paddle.no_grad()
    def update_centers(self, h, y, alpha=0.3):
        one = F.one_hot(y, K)
        cnt = one.sum(0).unsqueeze(1)
        mean = paddle.matmul(one, h, transpose_x=True) / paddle.clip(cnt, min=1)
        self.centers.set_value(paddle.where(cnt > 0, self.centers + alpha * (mean - self.centers), self.centers))


net = Net()
opt = paddle.optimizer.Momentum(0.02, 0.9, parameters=net.parameters(), weight_decay=5e-4)
x, y = mk(2000)
xv, yv = mk(500)
for ep in range(6):
    for i in np.array_split(np.random.permutation(2000), 40):
        yt = paddle.to_tensor(y[i])
        h, logit = net(paddle.to_tensor(x[i]))
        loss = F.cross_entropy(logit, yt) + 0.05 * ((h - paddle.gather(net.centers, yt)) ** 2).sum(1).mean()
        loss.backward()
        opt.step()
        opt.clear_grad()
        net.update_centers(h.detach(), yt)
    acc = float((net(paddle.to_tensor(xv))[1].argmax(1).numpy() == yv).mean())
    print("epoch", ep, "loss", round(float(loss), 4), "acc", round(acc, 4))
