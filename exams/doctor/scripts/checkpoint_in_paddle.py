import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

rng = np.random.RandomState(0)
D, CLASSES = 32, 4


def fit_numpy(x, y):
    w1, w2 = rng.randn(D, D) * 0.2, rng.randn(CLASSES, D) * 0.2
    for _ in range(300):
        h = np.maximum(x @ w1.T, 0)
        s = h @ w2.T
        p = np.exp(s - s.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(y)), y] -= 1
        g2 = p.T @ h / len(y)
        gh = (p @ w2) * (h > 0)
        w1 -= 1.0 * gh.T @ x / len(y)
        w2 -= 1.0 * g2
    return {"fc1.weight": w1.astype("float32"), "fc2.weight": w2.astype("float32")}


truth = rng.randn(D, CLASSES)
x_old = rng.randn(1500, D)
y_old = (np.tanh(x_old) @ truth).argmax(1)
checkpoint = fit_numpy(x_old, y_old)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(D, D, bias_attr=False)
        self.fc2 = nn.Linear(D, CLASSES, bias_attr=False)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


net = Net()
state = {}
for name, param in net.named_parameters():
    value = checkpoint[name]
    if value.ndim == 2:
        value = value.T
    state[name] = paddle.to_tensor(np.ascontiguousarray(value))
net.set_state_dict(state)

x_ft = (rng.randn(60, D) + 0.2).astype("float32")
y_ft = (np.tanh(x_ft) @ truth).argmax(1)
x_te = (rng.randn(600, D) + 0.2).astype("float32")
y_te = (np.tanh(x_te) @ truth).argmax(1)
opt = paddle.optimizer.SGD(learning_rate=0.02, parameters=net.parameters())
for epoch in range(0, 21):
    if epoch % 5 == 0:
        acc = (net(paddle.to_tensor(x_te)).argmax(1).numpy() == y_te).mean()
        print(f"epoch {epoch} test acc {acc:.3f}")
    loss = F.cross_entropy(net(paddle.to_tensor(x_ft)), paddle.to_tensor(y_ft))
    loss.backward()
    opt.step()
    opt.clear_grad()
