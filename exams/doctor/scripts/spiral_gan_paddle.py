import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.RandomState(0)
B, NZ = 64, 6


def real(n):
    t = rng.rand(n) * 4
    return np.stack([t * np.cos(t), t * np.sin(t)], 1).astype("float32") / 2 + 0.03 * rng.randn(n, 2).astype("float32")


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


G, D = mlp(NZ, 2), mlp(2, 1)
opt_g = paddle.optimizer.Adam(learning_rate=1e-3, beta1=0.5, parameters=G.parameters())
opt_d = paddle.optimizer.Adam(learning_rate=1e-3, beta1=0.5, parameters=D.parameters())
criterion = nn.BCEWithLogitsLoss()
real_label, fake_label = paddle.ones([B, 1]), paddle.zeros([B, 1])
ref = real(400)


def energy(a, b):
    def d(p, q):
        return np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1)).mean()
    return 2 * d(a, b) - d(a, a) - d(b, b)


for it in range(1, 701):
    opt_d.clear_grad()
    err_real = criterion(D(paddle.to_tensor(real(B))), real_label)
    fake = G(paddle.randn([B, NZ]))
    err_fake = criterion(D(fake.detach()), fake_label)
    err_d = err_real + err_fake
    err_d.backward()
    opt_d.step()

    opt_g.clear_grad()
    err_g = criterion(D(fake), real_label)
    err_g.backward()
    opt_g.step()
    if it % 140 == 0:
        with paddle.no_grad():
            s = G(paddle.randn([400, NZ])).numpy()
        print(f"it {it} D {float(err_d):.3f} G {float(err_g):.3f} energy distance {energy(s, ref):.4f}")
