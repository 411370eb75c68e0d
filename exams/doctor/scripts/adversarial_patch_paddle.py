import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
c = np.random.randn(3, 20)
y = np.random.randint(0, 3, 300)
x = (c[y] + 0.7 * np.random.randn(300, 20)).astype("float32")
x, y = paddle.to_tensor(x), paddle.to_tensor(y)
net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))
opt = paddle.optimizer.Adam(0.01, parameters=net.parameters())
for step in range(60):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 12 == 0:
        print(f"train {step} loss {float(loss):.4f}")
net.eval()
for p in net.parameters():
    p.stop_gradient = True

delta = paddle.zeros([1, 20])
delta.stop_gradient = False
for step in range(60):
    z = net(x + delta)
    true = paddle.take_along_axis(z, y.unsqueeze(1), 1).squeeze(1)
    other = (z - 1e9 * F.one_hot(y, 3)).max(axis=1)
    margin = (true - other).mean()
    margin.backward()
    with paddle.no_grad():
        delta.set_value(paddle.clip(delta - 0.05 * delta.grad.sign(), -1.5, 1.5))
    delta.clear_gradient()
    if step % 6 == 0:
        print(f"attack {step} margin loss {float(margin):.4f}")
print("acc under attack", float((net(x + delta).argmax(1) == y).astype("float32").mean()))
