import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
# self-training: after a warm-up on 40 labelled rows the net's own sure answers, detached, are its targets;
# many steps find no sure row and have a second loss of exactly zero
centre = rng.normal(0, 1.6, (3, 8))
y = rng.integers(0, 3, 1000)
x = paddle.to_tensor((centre[y] + rng.normal(size=(1000, 8))).astype("float32"))
label = paddle.to_tensor(y)
net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for step in range(200):
    loss_l = F.cross_entropy(net(x[:40]), label[:40])
    u = x[paddle.to_tensor(rng.integers(40, 800, 64))]
    with paddle.no_grad():
        p = F.softmax(net(u))
        sure, guess = (p.max(1) > 0.95).astype("float32"), p.argmax(1)
    each = F.cross_entropy(net(u + 0.3 * paddle.randn(u.shape)), guess, reduction="none").squeeze(-1)
    loss_u = (each * sure).mean()
    loss = loss_l + loss_u
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 40 == 0:
        print("step", step, "labelled", float(loss_l), "own", float(loss_u), "sure", float(sure.mean()))
print("accuracy", (net(x[800:]).numpy().argmax(1) == y[800:]).mean())
