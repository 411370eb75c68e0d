import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(18)
np.random.seed(18)


def cells(n, s=16):
    yy, xx = np.mgrid[:s, :s]
    m = np.zeros((n, s, s), "int64")
    for i in range(n):
        cy, cx, r = np.random.randint(4, 12), np.random.randint(4, 12), np.random.randint(2, 4)
        d = np.hypot(yy - cy, xx - cx)
        m[i][d <= r] = 1
        m[i][np.abs(d - r) < 0.6] = 255
    img = (m == 1) * 1.0 + (m == 255) * 0.5 + 0.4 * np.random.randn(n, s, s)
    return img[:, None].astype("float32"), m


class UNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2D(1, 8, 3, padding=1), nn.BatchNorm2D(8), nn.ReLU())
        self.d2 = nn.Sequential(nn.Conv2D(8, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU())
        self.u1 = nn.Sequential(nn.Conv2D(24, 8, 3, padding=1), nn.BatchNorm2D(8), nn.ReLU())
        self.o, self.aux = nn.Conv2D(8, 2, 1), nn.Conv2D(16, 2, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(F.max_pool2d(a, 2))
        up = F.interpolate(b, scale_factor=2, mode="bilinear")
        out = self.o(self.u1(paddle.concat([up, a], 1)))
        if self.training:
            return out, F.interpolate(self.aux(b), scale_factor=2, mode="bilinear")
        return out


x, m = cells(400)
xv, mv = cells(80)
net = UNet()
opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
ce = lambda o, y: F.cross_entropy(o, y.unsqueeze(1), axis=1, ignore_index=255)
for ep in range(5):
    net.train()
    for i in np.array_split(np.random.permutation(400), 20):
        y = paddle.to_tensor(m[i])
        o, aux = net(paddle.to_tensor(x[i]))
        loss = ce(o, y) + 0.4 * ce(aux, y)
        loss.backward()
        opt.step()
        opt.clear_grad()
    net.eval()
    with paddle.no_grad():
        p = net(paddle.to_tensor(xv)).argmax(1).numpy()
    keep = mv != 255
    inter = ((p == 1) & (mv == 1)).sum() / (((p == 1) | (mv == 1)) & keep).sum()
    print("epoch", ep, "loss", round(float(loss), 4), "IoU", round(float(inter), 4))
