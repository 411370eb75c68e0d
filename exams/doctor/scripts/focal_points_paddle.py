import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
axis = rng.randn(10) * 3.0


def points(n):
    y = rng.randint(0, 2, (n, 1))
    return (np.where(y, axis, -axis) + 4.0 * rng.randn(n, 10)).astype("float32"), y.astype("float32")


class FocalLoss(nn.Layer):
    def __init__(self, gamma=2.0, alpha=0.5):
        super().__init__()
        self.gamma, self.alpha = gamma, alpha

    def forward(self, logits, y):
        p = F.sigmoid(logits)
        log_p, log_q = F.log_sigmoid(logits), F.log_sigmoid(-logits)
        pos = -self.alpha * (1 - p) ** self.gamma * y * log_p
        neg = -(1 - self.alpha) * p ** self.gamma * (1 - y) * log_q
        return (pos + neg).mean()


X, Y = points(900)
Xv, Yv = points(300)
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.parameters())
criterion = FocalLoss()
for epoch in range(1, 11):
    order = rng.permutation(len(X))
    losses = []
    for i in range(0, len(X), 30):
        idx = order[i:i + 30]
        loss = criterion(net(paddle.to_tensor(X[idx])), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 2 == 0:
        acc = ((net(paddle.to_tensor(Xv)).numpy() > 0) == (Yv > 0.5)).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.4f} val acc {acc:.3f}")
