import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


def clouds(n, k=16):
    y = np.random.randint(0, 3, n)
    pts = np.zeros((n, k, 2), "float32")
    for i in range(n):
        th = np.random.rand(k) * 2 * np.pi
        if y[i] == 0:
            p = np.stack([np.cos(th), np.sin(th)], 1)
        elif y[i] == 1:
            u = np.random.rand(k) * 2 - 1
            p = np.stack([u, np.sign(np.random.randn(k)) * u], 1)
        else:
            p = np.random.rand(k, 2) * 1.8 - 0.9
        pts[i] = p + 0.05 * np.random.randn(k, 2)
    return pts, y


class PointNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.local = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU())
        self.cls = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))

    def pool(self, h):
        return paddle.max(h, axis=1)

    def forward(self, pts):
        h = self.local(pts)
        g = self.pool(h)
        return self.cls(g)


def main():
    x, y = clouds(2400)
    xv, yv = clouds(600)
    net = PointNet()
    opt = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
    for epoch in range(14):
        idx = np.random.permutation(len(x))
        losses = []
        for b in np.array_split(idx, 40):
            loss = F.cross_entropy(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
            loss.backward()
            opt.step()
            opt.clear_grad()
            losses.append(float(loss))
        acc = (net(paddle.to_tensor(xv)).argmax(1).numpy() == yv).mean()
        print(f"[{epoch}] loss {np.mean(losses):.4f} val acc {acc:.4f}")


if __name__ == "__main__":
    main()
