import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2D(3, 16, 3, stride=2, padding=1), nn.BatchNorm2D(16), nn.ReLU(),
                                   nn.Conv2D(16, 32, 3, stride=2, padding=1), nn.BatchNorm2D(32), nn.ReLU(),
                                   nn.AdaptiveAvgPool2D(2), nn.Flatten())
        self.head = nn.Linear(128, 4)

    def forward(self, x):
        return self.head(self.trunk(x))


def freeze_bn(m):
    if isinstance(m, nn.BatchNorm2D):
        m.eval()
        for p in m.parameters():
            p.stop_gradient = True


proto = np.random.randn(4, 3, 12, 12)
y = np.random.randint(0, 4, 320)
x = (proto[y] + 0.8 * np.random.randn(320, 3, 12, 12)).astype("float32")
x, y = paddle.to_tensor(x), paddle.to_tensor(y)
net = Net()
net.train()
net(x)      # statistics of the "source" data
net.apply(freeze_bn)
opt = paddle.optimizer.AdamW(
    learning_rate=1e-2,
    parameters=[{"params": [p for p in net.trunk.parameters() if not p.stop_gradient], "learning_rate": 0.1},
                {"params": net.head.parameters()}])
for epoch in range(10):
    net.train()
    net.apply(freeze_bn)
    tot = 0.0
    for i in range(0, 320, 40):
        loss = F.cross_entropy(net(x[i:i + 40]), y[i:i + 40])
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / 8:.4f}")
