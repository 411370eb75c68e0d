import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(4, 20)


def rows(n):
    y = rng.randint(0, 4, n)
    return paddle.to_tensor((proto[y] + 0.6 * rng.randn(n, 20)).astype("float32")), paddle.to_tensor(y.astype("int64"))


net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
EPS = 0.5


def attack(x, y):
    adv = x.detach().clone()
    adv.stop_gradient = False
    loss = F.cross_entropy(net(adv), y)
    (g,) = paddle.grad(loss, adv)
    return (adv + EPS * paddle.sign(g)).detach()


def accuracy(x, y):
    return float((net(x).argmax(1) == y).astype("float32").mean())


xv, yv = rows(400)
for step in range(1, 301):
    x, y = rows(48)
    x_adv = attack(x, y)
    loss = 0.5 * F.cross_entropy(net(x), y) + 0.5 * F.cross_entropy(net(x_adv), y)
    opt.clear_grad()
    loss.backward()
    opt.step()
    if step % 60 == 0 or step == 1:
        print(f"step {step} loss {float(loss):.3f} clean {accuracy(xv, yv):.3f} robust {accuracy(attack(xv, yv), yv):.3f}")
