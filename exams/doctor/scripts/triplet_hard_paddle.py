import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
cent = np.random.randn(12, 20)


def pk_batch(P=6, K=4):
    y = np.repeat(np.random.choice(12, P, replace=False), K)
    return paddle.to_tensor((cent[y] + 0.7 * np.random.randn(len(y), 20)).astype("float32")), paddle.to_tensor(y)


def batch_hard(z, y, margin=0.3):
    d2 = 2 - 2 * paddle.matmul(z, z, transpose_y=True)
    d = paddle.sqrt(paddle.clip(d2, min=1e-8))
    same = (y.unsqueeze(0) == y.unsqueeze(1)).astype("float32")
    pos = (d * same).max(axis=1)
    neg = (d + 10.0 * same).min(axis=1)
    return F.relu(pos - neg + margin).mean(), (neg > pos).astype("float32").mean()


net = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 16))
opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for step in range(160):
    x, y = pk_batch()
    loss, frac = batch_hard(F.normalize(net(x), axis=1), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 16 == 0:
        print(f"step {step} triplet loss {float(loss):.4f} satisfied {float(frac):.2f}")
