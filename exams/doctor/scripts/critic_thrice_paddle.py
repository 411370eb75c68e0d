import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)


def real(n):
    return paddle.randn([n, 1]) * 0.5 + 3.0


G = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
D = nn.Sequential(nn.Linear(1, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = paddle.optimizer.Adam(1e-3, beta1=0.0, beta2=0.9, parameters=G.parameters())
opt_d = paddle.optimizer.Adam(2e-3, beta1=0.0, beta2=0.9, parameters=D.parameters())
for it in range(330):
    for _ in range(3):                  # hinge loss, three critic steps for one of the generator
        d_loss = nn.functional.relu(1 - D(real(64))).mean() + nn.functional.relu(1 + D(G(paddle.randn([64, 2])).detach())).mean()
        d_loss.backward()
        opt_d.step()
        opt_d.clear_grad()
    g_loss = -D(G(paddle.randn([64, 2]))).mean()
    g_loss.backward()
    opt_g.step()
    opt_g.clear_grad()
    opt_d.clear_grad()
    if it % 50 == 0:
        print("iter", it, "d", float(d_loss), "g", float(g_loss))
s = G(paddle.randn([1000, 2])).numpy()
print("mean", s.mean(), "std", s.std(), "wanted 3.0 and 0.5")
