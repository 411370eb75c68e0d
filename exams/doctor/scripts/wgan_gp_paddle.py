"""WGAN-GP on a ring of gaussians: three critic steps for each generator step, penalty by double backward."""
import numpy as np
import paddle
import paddle.nn as nn
import parity

STEPS, N_CRITIC, LAMBDA = 16, 3, 1.0
paddle.seed(9)
rng = np.random.default_rng(9)


def real_batch(n=128):
    angle = rng.integers(0, 8, n) * np.pi / 4
    return paddle.to_tensor((np.stack([np.cos(angle), np.sin(angle)], 1) * 2 + 0.05 * rng.standard_normal((n, 2))).astype("float32"))


def net(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


G, D = net(4, 2), net(2, 1)
opt_g = paddle.optimizer.Adam(1e-3, beta1=0.0, beta2=0.9, parameters=G.parameters())
opt_d = paddle.optimizer.Adam(1e-3, beta1=0.0, beta2=0.9, parameters=D.parameters())


def penalty(real, fake):
    eps = paddle.rand([real.shape[0], 1])
    mid = eps * real + (1 - eps) * fake
    mid.stop_gradient = False
    grad = paddle.grad(D(mid).sum(), mid, create_graph=True)[0]
    return ((grad.norm(axis=1) - 1) ** 2).mean()


def critic_step():
    real = real_batch()
    fake = G(paddle.randn([real.shape[0], 4])).detach()
    loss = D(fake).mean() - D(real).mean() + LAMBDA * penalty(real, fake)
    opt_d.clear_grad()
    loss.backward()
    opt_d.step()
    return loss.item()


def generator_step():
    loss = -D(G(paddle.randn([128, 4]))).mean()
    opt_g.clear_grad()
    loss.backward()
    opt_g.step()
    return loss.item()


with parity.doctor({"G": G, "D": D}, {"opt_g": opt_g, "opt_d": opt_d}) as d:
    for step in range(STEPS):
        d.mark()
        for _ in range(N_CRITIC):
            c = critic_step()
        g = generator_step()
        if step % max(1, STEPS // 5) == 0:
            print(step, "critic", round(c, 3), "generator", round(g, 3))
print(d)
radius = G(paddle.randn([1000, 4])).norm(axis=1)
print("radius", float(radius.mean()), float(radius.std()))
