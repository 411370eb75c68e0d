import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
np.random.seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
sched = paddle.optimizer.lr.ExponentialDecay(5e-3, gamma=0.995)
opt = paddle.optimizer.Adam(sched, parameters=net.parameters())
# u' = -2 u + cos(t), u(0) = 1 on [0, 3]
for step in range(200):
    t = paddle.to_tensor(np.random.rand(64, 1).astype("float32") * 3)
    t.stop_gradient = False
    u = net(t)
    du = paddle.grad(u, t, grad_outputs=paddle.ones_like(u), create_graph=True)[0]
    residual = ((du + 2 * u - paddle.cos(t)) ** 2).mean()
    u0 = net(paddle.zeros([1, 1]))
    loss = residual + 5 * ((u0 - 1) ** 2).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    sched.step()
    if step % 20 == 0:
        print(f"step {step} loss {float(loss):.5f}")
tt = np.linspace(0, 3, 50, dtype="float32")[:, None]
exact = (2 * np.cos(tt) + np.sin(tt)) / 5 + 0.6 * np.exp(-2 * tt)
print("max error", np.abs(net(paddle.to_tensor(tt)).numpy() - exact).max())
