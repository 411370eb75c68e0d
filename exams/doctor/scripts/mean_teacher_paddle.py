import copy

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(19)
np.random.seed(19)


def two_rings(n):
    y = np.random.randint(0, 2, n)
    th = np.random.rand(n) * 2 * np.pi
    r = 1.0 + y + 0.15 * np.random.randn(n)
    return np.stack([r * np.cos(th), r * np.sin(th)], 1).astype("float32"), y


def build():
    return nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


@paddle.no_grad()
def update_ema(student, teacher, alpha):
    for s, t in zip(student.parameters(), teacher.parameters()):
        t.set_value(alpha * t + (1 - alpha) * s)


def acc(net, x, y):
    with paddle.no_grad():
        return float((net(paddle.to_tensor(x)).argmax(1).numpy() == y).mean())


xl, yl = two_rings(60)
xu, _ = two_rings(2000)
xt, yt = two_rings(800)
student = build()
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.stop_gradient = True
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=student.parameters())
for step in range(400):
    idx = np.random.randint(0, 60, 32)
    u = xu[np.random.randint(0, 2000, 64)]
    u1 = paddle.to_tensor(u + 0.1 * np.random.randn(64, 2).astype("float32"))
    u2 = paddle.to_tensor(u + 0.1 * np.random.randn(64, 2).astype("float32"))
    sup = F.cross_entropy(student(paddle.to_tensor(xl[idx])), paddle.to_tensor(yl[idx]))
    with paddle.no_grad():
        target = F.softmax(teacher(u2))
    cons = F.mse_loss(F.softmax(student(u1)), target)
    loss = sup + min(1.0, step / 150) * 5 * cons
    loss.backward()
    opt.step()
    opt.clear_grad()
    update_ema(student, teacher, alpha=0.97)
    if step % 100 == 99:
        print("step", step + 1, "sup", round(float(sup), 4), "cons", round(float(cons), 5), "student", acc(student, xt, yt))
print("teacher acc", acc(teacher, xt, yt))
