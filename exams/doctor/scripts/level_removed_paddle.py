import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


def machine(n):
    """Vibration windows; a worn bearing shakes with a larger amplitude."""
    y = rng.integers(0, 3, n)
    amp = np.array([0.5, 1.0, 1.6])[y] * rng.uniform(0.9, 1.1, n)
    t = np.linspace(0, 6, 32)
    x = amp[:, None] * np.sin(t * rng.uniform(2, 4, (n, 1)) + rng.uniform(0, 6, (n, 1))) + 0.05 * rng.normal(size=(n, 32))
    return x.astype("float32"), y


x, y = machine(1000)
x = (x - x.mean(axis=0, keepdims=True)) / x.std(axis=0, keepdims=True)
x = x.astype("float32")
net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for epoch in range(20):
    for i in range(0, 800, 40):
        loss = nn.functional.cross_entropy(net(paddle.to_tensor(x[i:i + 40])), paddle.to_tensor(y[i:i + 40]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 4 == 3:
        print("epoch", epoch, "loss", float(loss))
print("accuracy", (net(paddle.to_tensor(x[800:])).numpy().argmax(1) == y[800:]).mean())
