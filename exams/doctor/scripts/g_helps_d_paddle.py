import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)


def real(n):
    a = paddle.rand([n, 1]) * 2 * np.pi
    return paddle.concat([2 * paddle.cos(a), paddle.sin(a)], 1) + 0.05 * paddle.randn([n, 2])


G = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=G.parameters())
od = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=D.parameters())
for it in range(700):
    z = paddle.randn([64, 3])
    fake = G(z)
    pos, neg = D(real(64)), D(fake.detach())
    d_loss = F.binary_cross_entropy_with_logits(pos, paddle.ones_like(pos)) \
        + F.binary_cross_entropy_with_logits(neg, paddle.zeros_like(neg))
    d_loss.backward()
    od.step()
    od.clear_grad()

    score = D(G(z))
    g_loss = F.binary_cross_entropy_with_logits(score, paddle.ones_like(score))
    g_loss.backward()
    og.step()
    og.clear_grad()
    od.clear_grad()
    if it % 100 == 0:
        print(f"iter {it} d {float(d_loss):.3f} g {float(g_loss):.3f}")
s = G(paddle.randn([500, 3])).numpy()
print("d", float(d_loss), "g", float(g_loss), "off the ellipse", np.abs(np.sqrt((s[:, 0] / 2) ** 2 + s[:, 1] ** 2) - 1).mean())
