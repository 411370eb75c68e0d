import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
S = 20


def scans(n):
    img = 0.3 * rng.randn(n, 1, S, S)
    msk = np.zeros((n, 1, S, S))
    yy, xx = np.mgrid[:S, :S]
    for k in range(n):
        r, c, rad = rng.randint(4, 16), rng.randint(4, 16), rng.uniform(1.5, 3.0)
        blob = (yy - r) ** 2 + (xx - c) ** 2 < rad ** 2
        img[k, 0] += 0.9 * blob
        msk[k, 0] = blob
    return img.astype("float32"), msk.astype("float32")


class UNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.e1 = nn.Sequential(nn.Conv2D(1, 10, 3, padding=1), nn.ReLU())
        self.e2 = nn.Sequential(nn.Conv2D(10, 20, 3, padding=1), nn.ReLU())
        self.up = nn.Conv2DTranspose(20, 10, 2, stride=2)
        self.out = nn.Conv2D(20, 1, 3, padding=1)

    def forward(self, x):
        a = self.e1(x)
        b = self.up(self.e2(F.max_pool2d(a, 2)))
        return self.out(paddle.concat([a, b], axis=1))


def loss_fn(z, m):
    p = F.sigmoid(z)
    inter = (p * m).sum(axis=[1, 2, 3])
    dice = 1 - ((2 * inter + 1) / (p.sum(axis=[1, 2, 3]) + m.sum(axis=[1, 2, 3]) + 1)).mean()
    return F.binary_cross_entropy_with_logits(z, m) + dice


X, M = scans(120)
Xv, Mv = [paddle.to_tensor(v) for v in scans(40)]
net = UNet()
sched = paddle.optimizer.lr.ReduceOnPlateau(learning_rate=5e-3, factor=0.5, patience=1)
opt = paddle.optimizer.Adam(learning_rate=sched, parameters=net.parameters())
for epoch in range(1, 13):
    order = rng.permutation(120)
    for i in range(0, 120, 12):
        idx = order[i:i + 12]
        loss = loss_fn(net(paddle.to_tensor(X[idx])), paddle.to_tensor(M[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    with paddle.no_grad():
        z = net(Xv)
        val = loss_fn(z, Mv)
        p = (z > 0).astype("float32")
        d = float(2 * (p * Mv).sum() / (p.sum() + Mv.sum() + 1e-6))
    sched.step(val)
    if epoch % 3 == 0 or epoch == 1:
        print(f"epoch {epoch} lr {opt.get_lr():.1e} val loss {float(val):.3f} dice {d:.3f}")
