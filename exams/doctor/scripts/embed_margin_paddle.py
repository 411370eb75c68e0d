import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
centers = rng.randn(12, 24)
feats = np.concatenate([c + 0.8 * rng.randn(25, 24) for c in centers]).astype("float32")
ids = np.repeat(np.arange(12), 25)


class EmbedNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(24, 64)
        self.fc2 = nn.Linear(64, 8)

    def forward(self, x):
        return F.normalize(self.fc2(F.relu(self.fc1(x))), axis=1)


def pair_dist(a, b):
    return paddle.sum((a - b) ** 2, axis=1)


def margin_loss(a, p, n, margin=0.4):
    d_p = pair_dist(a, p)
    d_n = pair_dist(a, n)
    hinge = F.relu(d_p - d_n + margin)
    return hinge.mean()


def triplets(n):
    a = rng.randint(0, len(ids), n)
    p = np.array([rng.choice(np.where(ids == ids[i])[0]) for i in a])
    q = np.array([rng.choice(np.where(ids != ids[i])[0]) for i in a])
    return [paddle.to_tensor(feats[k]) for k in (a, p, q)]


net = EmbedNet()
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
for step in range(1, 201):
    a, p, n = triplets(64)
    loss = margin_loss(net(a), net(p), net(n))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 40 == 0:
        z = net(paddle.to_tensor(feats)).numpy()
        d = ((z[:, None] - z[None]) ** 2).sum(-1)
        np.fill_diagonal(d, 1e9)
        print(f"step {step} loss {float(loss):.4f} 1-nn acc {(ids[d.argmin(1)] == ids).mean():.3f}")
