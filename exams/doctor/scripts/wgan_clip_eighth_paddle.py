import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
B, NZ, CLIP = 64, 4, 0.1


def real(n):
    a = rng.rand(n) * np.pi
    return np.stack([2 * np.cos(a), 2 * np.sin(a)], 1).astype("float32") + 0.05 * rng.randn(n, 2).astype("float32")


def net(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, o))


G, C = net(NZ, 2), net(2, 1)
opt_g = paddle.optimizer.RMSProp(learning_rate=5e-4, parameters=G.parameters())
opt_c = paddle.optimizer.RMSProp(learning_rate=5e-4, parameters=C.parameters())
ref = real(400)


def energy(a, b):
    d = lambda p, q: np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1)).mean()
    return 2 * d(a, b) - d(a, a) - d(b, b)


for it in range(1, 401):
    for _ in range(5):
        fake = G(paddle.randn([B, NZ])).detach()
        loss_c = C(fake).mean() - C(paddle.to_tensor(real(B))).mean()
        loss_c.backward()
        opt_c.step()
        opt_c.clear_grad()
        with paddle.no_grad():
            for p in C.parameters():
                p.set_value(paddle.clip(p, -CLIP, CLIP))
    loss_g = -C(G(paddle.randn([B, NZ]))).mean()
    loss_g.backward()
    opt_g.step()
    opt_g.clear_grad()
    opt_c.clear_grad()
    if it % 80 == 0 or it == 1:
        with paddle.no_grad():
            s = G(paddle.randn([400, NZ])).numpy()
        print(f"it {it} critic {float(loss_c):.4f} gen {float(loss_g):.4f} energy {energy(s, ref):.4f}")
