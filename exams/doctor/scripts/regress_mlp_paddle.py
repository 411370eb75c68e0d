import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(42)
np.random.seed(42)
W1, W2 = np.random.randn(12, 10) / 3, np.random.randn(10)


def gen(n):
    x = np.random.randn(n, 12)
    y = np.tanh(x @ W1) @ W2
    return x.astype("float32"), y.astype("float32")[:, None]


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 256)
        self.fc2 = nn.Linear(256, 256)
        self.fc3 = nn.Linear(256, 1)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.dropout(x, p=0.2, training=self.training)
        x = F.relu(self.fc2(x))
        x = F.dropout(x, p=0.2, training=self.training)
        return self.fc3(x)


def rmse(net, x, y):
    net.eval()
    with paddle.no_grad():
        return float(np.sqrt(((net(paddle.to_tensor(x)).numpy() - y) ** 2).mean()))


xtr, ytr = gen(5000)
xte, yte = gen(1000)
net = Net()
optimizer = paddle.optimizer.Adam(2e-3, parameters=net.parameters())
for epoch in range(30):
    net.train()
    order = np.random.permutation(len(xtr))
    for k in range(0, len(order), 100):
        b = order[k:k + 100]
        loss = F.mse_loss(net(paddle.to_tensor(xtr[b])), paddle.to_tensor(ytr[b]))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "loss", round(float(loss), 4), "train rmse", round(rmse(net, xtr[:1000], ytr[:1000]), 4))
print("test rmse", round(rmse(net, xte, yte), 4))
