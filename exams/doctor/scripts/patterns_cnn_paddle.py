import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, TensorDataset

paddle.seed(30)
np.random.seed(30)


def make(n):
    y = np.random.randint(0, 4, n)
    x = np.random.randn(n, 1, 12, 12) * 0.5
    for i in range(n):
        r = np.random.randint(0, 6)
        if y[i] == 0:
            x[i, 0, r:r + 6, :] += 1
        elif y[i] == 1:
            x[i, 0, :, r:r + 6] += 1
        elif y[i] == 2:
            x[i, 0, r:r + 6, r:r + 6] += 1.5
        else:
            x[i, 0, ::2, ::2] += 1
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y.astype("int64"))


class ConvBNLayer(nn.Layer):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.conv = nn.Conv2D(i, o, 3, stride=stride, padding=1, bias_attr=False)
        self.bn = nn.BatchNorm2D(o, momentum=0.9)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


model = nn.Sequential(ConvBNLayer(1, 8), ConvBNLayer(8, 16, 2), ConvBNLayer(16, 32, 2), nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(32, 4))
opt = paddle.optimizer.Momentum(0.03, momentum=0.9, parameters=model.parameters(), weight_decay=1e-4)
xte, yte = make(400)
loader = DataLoader(TensorDataset(list(make(1202))), batch_size=40, shuffle=True)
accs = []
for epoch in range(8):
    model.train()
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
    model.eval()
    with paddle.no_grad():
        acc = float((model(xte).argmax(1) == yte).astype("float32").mean())
    accs.append(acc)
    print(f"epoch {epoch} loss {float(loss):.4f} val acc {acc:.4f}")
print("mean val acc of last 5 epochs", round(sum(accs[-5:]) / 5, 4))
