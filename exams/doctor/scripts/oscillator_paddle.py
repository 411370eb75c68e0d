import paddle, paddle.nn as nn
paddle.seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)); opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
for it in range(300):
    t = 2 * paddle.rand([64, 1]); t.stop_gradient = False
    u = net(t)
    du = paddle.grad(u.sum(), t, create_graph=True)[0]
    residual = du + 2 * u
    start = net(paddle.zeros([1, 1])) - 1
    loss = (residual ** 2).mean() + (start ** 2).mean()
    loss.backward(); opt.step(); opt.clear_grad()
    if it % 60 == 0: print(it, float(loss))
t = paddle.linspace(0, 2, 50).unsqueeze(1); print("metric:", float((net(t) - paddle.exp(-2 * t)).abs().mean()))
