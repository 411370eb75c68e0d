import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(2)
np.random.seed(2)


def real(n):
    c = np.array([[1.5, 0], [-1.5, 0], [0, 1.5]], "float32")[np.random.randint(0, 3, n)]
    return paddle.to_tensor(c + 0.15 * np.random.randn(n, 2).astype("float32"))


G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
C = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
og = paddle.optimizer.RMSProp(learning_rate=1e-3, parameters=G.parameters())
oc = paddle.optimizer.RMSProp(learning_rate=1e-3, parameters=C.parameters())
for it in range(900):
    for _ in range(3):
        fake = G(paddle.randn([96, 4])).detach()
        lc = C(fake).mean() - C(real(96)).mean()
        lc.backward()
        oc.step()
        oc.clear_grad()
        with paddle.no_grad():
            for p in C.parameters():
                p.set_value(paddle.clip(p, -0.1, 0.1))
    lg = -C(G(paddle.randn([96, 4]))).mean()
    lg.backward()
    og.step()
    og.clear_grad()
    oc.clear_grad()
    if it % 150 == 149:
        print("iter", it + 1, "critic", round(float(lc), 4), "gen", round(float(lg), 4))
with paddle.no_grad():
    s = G(paddle.randn([500, 4])).numpy()
d = np.sqrt(((s[:, None] - real(1000).numpy()[None]) ** 2).sum(-1)).min(1)
print("distance to data", round(float(d.mean()), 4))
