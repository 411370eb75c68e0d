import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(15)
np.random.seed(15)
Q = np.random.randn(16, 6)


def data(n, kind):
    x = np.random.randn(n, 16)
    z = np.maximum(x @ Q, 0)
    y = z.argmax(1) if kind == "a" else (z[:, :3].sum(1) > z[:, 3:].sum(1)).astype(int)
    return x.astype("float32"), y


def train(params, net, x, y, epochs, lr, tag):
    opt = paddle.optimizer.Adam(lr, parameters=params)
    for e in range(epochs):
        for i in np.array_split(np.random.permutation(len(x)), len(x) // 50):
            loss = F.cross_entropy(net(paddle.to_tensor(x[i])), paddle.to_tensor(y[i]))
            loss.backward()
            opt.step()
            opt.clear_grad()
        acc = float((net(paddle.to_tensor(x)).argmax(1).numpy() == y).mean())
        print(tag, e, "loss", round(float(loss), 4), "acc", round(acc, 4))


body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
head_a = nn.Linear(64, 6)
train(body.parameters() + head_a.parameters(), nn.Sequential(body, head_a), *data(3000, "a"), 5, 2e-3, "pre")
head_b = nn.Linear(64, 2)
for p in body.parameters():
    p.stop_gradient = True
xb, yb = data(1500, "b")
train(head_b.parameters(), nn.Sequential(body, head_b), xb, yb, 5, 1e-2, "head")
for p in body.parameters():
    p.stop_gradient = False
train(body.parameters() + head_b.parameters(), nn.Sequential(body, head_b), xb, yb, 3, 1e-4, "all")
