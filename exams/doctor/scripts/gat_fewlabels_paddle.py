import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(9)
np.random.seed(9)
N, C = 300, 3
y = np.random.randint(0, C, N)
prob = np.where(y[:, None] == y[None], 0.08, 0.01)
A = np.triu(np.random.rand(N, N) < prob, 1)
A = A | A.T | np.eye(N, dtype=bool)
X = (np.random.randn(N, 16) + np.random.randn(C, 16)[y] * 0.5).astype("float32")
labels = np.full(N, -100, "int64")
known = np.random.permutation(N)[:60]
labels[known] = y[known]


class GAT(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w1, self.s1, self.d1 = nn.Linear(16, 32), nn.Linear(32, 1), nn.Linear(32, 1)
        self.w2 = nn.Linear(32, C)

    def forward(self, x, bias):
        h = self.w1(x)
        e = F.leaky_relu(self.s1(h) + self.d1(h).t(), 0.2) + bias
        h = F.elu(F.softmax(e, -1) @ h)
        return F.softmax(bias, -1) @ self.w2(h)


bias = paddle.to_tensor(np.where(A, 0, -1e9).astype("float32"))
xt, lt = paddle.to_tensor(X), paddle.to_tensor(labels)
net = GAT()
opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters(), weight_decay=5e-4)
hidden = np.setdiff1d(np.arange(N), known)
for ep in range(120):
    loss = F.cross_entropy(net(xt, bias), lt, ignore_index=-100)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if ep % 30 == 29:
        pred = net(xt, bias).argmax(1).numpy()
        print("epoch", ep + 1, "loss", round(float(loss), 4), "unlabelled acc", round(float((pred[hidden] == y[hidden]).mean()), 4))
