import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


class Block(nn.Layer):
    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        return nn.functional.relu(self.fc(x))


class Net(nn.Layer):
    def __init__(self, dim=14, depth=6):
        super().__init__()
        self.first = nn.Linear(6, dim)
        self.blocks = nn.Sequential(*[Block(dim) for _ in range(depth)])
        self.last = nn.Linear(dim, 1)

    def forward(self, x):
        return self.last(self.blocks(self.first(x)))


x = rng.uniform(-1, 1, (1500, 6)).astype("float32")
y = (np.sin(3 * x[:, :1]) * x[:, 1:2] + np.abs(x[:, 2:3] - x[:, 3:4]) + np.cos(4 * x[:, 4:5] * x[:, 5:])).astype("float32")
net = Net()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
for epoch in range(25):
    order, total = rng.permutation(1200), 0.0
    for i in range(0, 1200, 60):
        b = order[i:i + 60]
        loss = nn.functional.mse_loss(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        total += float(loss)
    if epoch % 5 == 4:
        print("epoch", epoch, "mse", total / 20)
with paddle.no_grad():
    print("test mse", float(nn.functional.mse_loss(net(paddle.to_tensor(x[1200:])), paddle.to_tensor(y[1200:]))))
