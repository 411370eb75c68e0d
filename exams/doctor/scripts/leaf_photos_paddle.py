import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(8, 3, 8, 8)


def photos(n):
    y = rng.randint(0, 8, n)
    light = rng.uniform(0.3, 3.0, (n, 1, 1, 1))
    return (light * (proto[y] + 1.5 * rng.randn(n, 3, 8, 8)) * 6 + 20).astype("float32"), y.astype("int64")


def cbr(i, o):
    return nn.Sequential(nn.Conv2D(i, o, 3, padding=1, bias_attr=False), nn.BatchNorm2D(o), nn.ReLU())


class LeafNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(cbr(3, 16), nn.MaxPool2D(2), cbr(16, 32), nn.MaxPool2D(2), cbr(32, 32))
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(128, 8))

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


X, Y = photos(300)
Xv, Yv = photos(300)
model = LeafNet()
sched = paddle.optimizer.lr.PiecewiseDecay(boundaries=[160, 240], values=[0.02, 0.006, 0.002])
opt = paddle.optimizer.Momentum(learning_rate=sched, momentum=0.9, parameters=model.parameters(), weight_decay=1e-4)

for epoch in range(1, 16):
    model.train()
    order = rng.permutation(300)
    losses = []
    for i in range(0, 300, 15):
        idx = order[i:i + 15]
        loss = F.cross_entropy(model(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        sched.step()
        losses.append(float(loss))
    model.eval()
    with paddle.no_grad():
        out = model(paddle.to_tensor(Xv))
        val = float(F.cross_entropy(out, paddle.to_tensor(Yv)))
        acc = (out.argmax(1).numpy() == Yv).mean()
    if epoch % 3 == 0:
        print(f"epoch {epoch} train {np.mean(losses):.3f} val {val:.3f} acc {acc:.3f}")
