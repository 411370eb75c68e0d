import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(7)
np.random.seed(7)
cent = np.random.randn(8, 2, 12) * 1.6


def make(n):
    y = np.random.randint(0, 8, n)
    x = cent[y, np.random.randint(0, 2, n)] + 0.8 * np.random.randn(n, 12)
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y)


xt, yt = make(2400)
xv, yv = make(600)
teacher = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 8))
student = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 8))


def acc(m):
    m.eval()
    return round(float((m(xv).argmax(1) == yv).astype("float32").mean()), 4)


def epochs(m, loss_fn, n, lr):
    opt = paddle.optimizer.Adam(lr, parameters=m.parameters())
    for e in range(n):
        m.train()
        perm = paddle.randperm(2400)
        for s in range(0, 2400, 80):
            i = perm[s:s + 80]
            l = loss_fn(m, xt[i], yt[i])
            l.backward()
            opt.step()
            opt.clear_grad()
    return float(l)


epochs(teacher, lambda m, x, y: F.cross_entropy(m(x), y), 8, 2e-3)
teacher.eval()
print("teacher", acc(teacher))
T = 3.0


def kd(m, x, y):
    with paddle.no_grad():
        t = F.softmax(teacher(x) / T)
    s = m(x)
    return 0.3 * F.cross_entropy(s, y) + 0.7 * T * T * F.cross_entropy(s / T, t, soft_label=True)


for r in range(4):
    print("round", r, "kd loss", round(epochs(student, kd, 3, 3e-3), 4), "student", acc(student))
