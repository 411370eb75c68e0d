import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
n, k = 200, 4
y = np.random.randint(0, k, n)
prob = np.where(y[:, None] == y[None], 0.08, 0.008)
A = np.triu((np.random.rand(n, n) < prob), 1)
A = (A | A.T).astype("float32") + np.eye(n, dtype="float32")
dinv = A.sum(1) ** -0.5
adj = paddle.to_tensor((A * dinv[:, None] * dinv[None]).astype("float32"))
feat = paddle.to_tensor((np.eye(k)[y] + 1.0 * np.random.randn(n, k)).astype("float32"))
train = np.concatenate([np.where(y == c)[0][:5] for c in range(k)])
rest = np.setdiff1d(np.arange(n), train)
labels = paddle.to_tensor(y)


class GCN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w1, self.w2, self.drop = nn.Linear(k, 16), nn.Linear(16, k), nn.Dropout(0.5)

    def forward(self, a, x):
        h = F.relu(paddle.matmul(a, self.w1(x)))
        return paddle.matmul(a, self.w2(self.drop(h)))


net = GCN()
opt = paddle.optimizer.Adam(0.02, parameters=net.parameters(), weight_decay=5e-4)
tr = paddle.to_tensor(train)
for epoch in range(120):
    net.train()
    loss = F.cross_entropy(net(adj, feat)[tr], labels[tr])
    loss.backward()
    opt.step()
    opt.clear_grad()
    if epoch % 12 == 0:
        net.eval()
        with paddle.no_grad():
            pred = net(adj, feat).argmax(1).numpy()
        print(f"epoch {epoch} loss {float(loss):.4f} test acc {(pred[rest] == y[rest]).mean():.3f}")
