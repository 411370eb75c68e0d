import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
C = 5
proto = np.random.randn(C, 1, 8, 8)


def dataset(n):
    y = np.random.randint(0, C, n)
    x = proto[y] + 1.6 * np.random.randn(n, 1, 8, 8)
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y)


def mixup(x, y, alpha=1.0):
    lam = float(np.random.beta(alpha, alpha))
    n = x.shape[0]
    idx = paddle.randperm(n)
    x_mix = lam * x + (1 - lam) * x[idx]
    return x_mix, y, y[idx], lam


net = nn.Sequential(nn.Conv2D(1, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(), nn.MaxPool2D(2),
                    nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, C))
x, y = dataset(400)
xv, yv = dataset(400)
opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for epoch in range(14):
    net.train()
    perm, tot = paddle.randperm(400), 0.0
    for i in range(0, 400, 40):
        xb, yb = x[perm[i:i + 40]], y[perm[i:i + 40]]
        xm, ya, yc, lam = mixup(xb, yb)
        out = net(xm)
        loss = lam * F.cross_entropy(out, ya) + (1 - lam) * F.cross_entropy(out, yc)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    net.eval()
    with paddle.no_grad():
        out = net(xv)
        val, acc = float(F.cross_entropy(out, yv)), float((out.argmax(1) == yv).astype("float32").mean())
    print(f"epoch {epoch} mixup loss {tot / 10:.4f} val loss {val:.4f} acc {acc:.3f}")
