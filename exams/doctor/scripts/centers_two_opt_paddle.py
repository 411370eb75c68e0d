import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(5, 20)


def rows(n):
    y = rng.randint(0, 5, n)
    return (proto[y] + 1.0 * rng.randn(n, 20)).astype("float32"), y.astype("int64")


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.feat = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 2))
        self.cls = nn.Linear(2, 5)

    def forward(self, x):
        f = self.feat(x)
        return f, self.cls(f)


class CenterLoss(nn.Layer):
    def __init__(self, k, d):
        super().__init__()
        self.centers = self.create_parameter([k, d], default_initializer=nn.initializer.Normal())

    def forward(self, f, y):
        return 0.5 * ((f - paddle.gather(self.centers, y)) ** 2).sum(axis=1).mean()


X, Y = rows(800)
Xv, Yv = rows(300)
net, center = Net(), CenterLoss(5, 2)
opt_net = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
opt_c = paddle.optimizer.SGD(learning_rate=25.0, parameters=center.parameters())
for epoch in range(1, 21):
    order, tot = rng.permutation(800), []
    for i in range(0, 800, 40):
        x, y = paddle.to_tensor(X[order[i:i + 40]]), paddle.to_tensor(Y[order[i:i + 40]])
        f, logit = net(x)
        loss = F.cross_entropy(logit, y) + 0.02 * center(f, y)
        loss.backward()
        opt_net.step()
        opt_c.step()
        opt_net.clear_grad()
        opt_c.clear_grad()
        tot.append(float(loss))
    if epoch % 4 == 0 or epoch == 1:
        with paddle.no_grad():
            acc = (net(paddle.to_tensor(Xv))[1].argmax(1).numpy() == Yv).mean()
        print(f"epoch {epoch} loss {np.mean(tot):.3f} acc {acc:.3f}")
