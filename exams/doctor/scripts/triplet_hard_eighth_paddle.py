import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
centers = rng.randn(16, 30)
P, K = 8, 6


def pk_batch():
    who = rng.choice(16, P, replace=False)
    lab = np.repeat(who, K)
    return paddle.to_tensor((centers[lab] + 1.1 * rng.randn(P * K, 30)).astype("float32")), lab


net = nn.Sequential(nn.Linear(30, 64), nn.BatchNorm1D(64), nn.ReLU(), nn.Linear(64, 16))
opt = paddle.optimizer.Adam(learning_rate=1e-3, parameters=net.parameters())


def batch_hard(z, lab):
    sq = ((z.unsqueeze(1) - z.unsqueeze(0)) ** 2).sum(axis=-1)
    dist = paddle.sqrt(sq + 1e-12)
    same = paddle.to_tensor((lab[:, None] == lab[None]).astype("float32"))
    far_pos = (dist * same).max(axis=1)
    near_neg = (dist + 1e3 * same).min(axis=1)
    return F.softplus(5 * (far_pos - near_neg)).mean()


test_lab = np.repeat(np.arange(16), 12)
test_x = paddle.to_tensor((centers[test_lab] + 1.1 * rng.randn(192, 30)).astype("float32"))


def recall():
    net.eval()
    with paddle.no_grad():
        z = F.normalize(net(test_x), axis=1).numpy()
    net.train()
    sim = z @ z.T
    np.fill_diagonal(sim, -9)
    return (test_lab[sim.argmax(1)] == test_lab).mean()


print(f"start recall@1 {recall():.3f}")
for step in range(1, 251):
    x, lab = pk_batch()
    loss = batch_hard(F.normalize(net(x), axis=1), lab)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 50 == 0:
        print(f"step {step} loss {float(loss):.3f} recall@1 {recall():.3f}")
