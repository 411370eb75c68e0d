import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(8, 20)


def rows(n):
    lab = rng.randint(0, 8, n)
    return (3.0 * (proto[lab] + 0.8 * rng.randn(n, 20))).astype("float32"), lab.astype("int64")


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1D(o, momentum=0.9), nn.ReLU())


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(block(20, 48), block(48, 48), block(48, 48))
        self.head = nn.Linear(48, 8)

    def forward(self, x):
        return self.head(self.body(x))


X, Y = rows(800)
Xv, Yv = rows(400)
net = Net()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
loss_fn = nn.CrossEntropyLoss()
val_history = []
for epoch in range(1, 13):
    net.train()
    order = rng.permutation(len(X))
    running = []
    for i in range(0, len(X), 8):
        idx = order[i:i + 8]
        loss = loss_fn(net(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        running.append(float(loss))
    net.eval()
    with paddle.no_grad():
        logits = net(paddle.to_tensor(Xv))
        val = float(loss_fn(logits, paddle.to_tensor(Yv)))
        acc = (logits.argmax(1).numpy() == Yv).mean()
    val_history.append(val)
    if epoch % 3 == 0:
        print(f"epoch {epoch} train {np.mean(running):.3f} val {val:.3f} acc {acc:.3f} mean val so far {np.mean(val_history):.3f}")
