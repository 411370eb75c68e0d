import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


def focal_loss(logits, targets, alpha=0.75, gamma=2.0):
    p = F.sigmoid(logits)
    ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
    return (alpha_t * (1 - p_t) ** gamma * ce).mean()


def make(n):
    """anchor features; about 8 % are objects"""
    y = (np.random.rand(n, 1) < 0.08).astype("float32")
    x = np.random.randn(n, 10).astype("float32")
    x[:, :3] += 1.5 * y
    x[:, 3] *= 1 + y[:, 0]
    return paddle.to_tensor(x), paddle.to_tensor(y)


model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
opt = paddle.optimizer.Adam(3e-3, parameters=model.parameters())
for step in range(150):
    x, y = make(256)
    loss = focal_loss(model(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 15 == 0:
        print(f"step {step} focal {float(loss):.5f}")
x, y = make(4000)
s, y = model(x).numpy()[:, 0], y.numpy()[:, 0]
rank = s.argsort().argsort()
auc = (rank[y == 1].mean() - (y.sum() - 1) / 2) / (y == 0).sum()
print(f"auc {auc:.3f} recall at 0.5: {(s[y == 1] > 0).mean():.3f} false positives {(s[y == 0] > 0).mean():.3f}")
