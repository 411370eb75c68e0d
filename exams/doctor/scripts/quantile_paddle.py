import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
np.random.seed(0)
x = np.random.rand(1500, 1).astype("float32") * 4 - 2
y = 300 + 80 * np.sin(2 * x) + (10 + 25 * np.abs(x)) * np.random.randn(1500, 1).astype("float32")
mu, sd = y.mean(), y.std()
yn = ((y - mu) / sd).astype("float32")
taus = paddle.to_tensor([[0.1, 0.5, 0.9]])
net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 3))
opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())


def pinball(q, t):
    e = t - q
    return paddle.maximum(taus * e, (taus - 1) * e).mean()


for step in range(200):
    i = np.random.randint(0, 1500, 128)
    loss = pinball(net(paddle.to_tensor(x[i])), paddle.to_tensor(yn[i]))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 20 == 0:
        print(f"step {step} pinball loss {float(loss):.4f}")
cover = (paddle.to_tensor(yn) <= net(paddle.to_tensor(x))).astype("float32").mean(axis=0).numpy()
print("coverage of 0.1/0.5/0.9:", cover)
