import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, TensorDataset

paddle.seed(0)
np.random.seed(0)
H = W = 12


def make(n):
    """NHWC images, the class is the colour of a small square on a coloured background."""
    y = np.random.randint(0, 3, n)
    x = np.random.rand(n, H, W, 3).astype("float32")
    for i in range(n):
        r, q = np.random.randint(0, 8, 2)
        x[i, r:r + 4, q:q + 4, :] *= 0.4
        x[i, r:r + 4, q:q + 4, y[i]] += 0.7
    return x, y.astype("int64")


class SmallCNN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2D(3, 12, 3, padding=1), nn.BatchNorm2D(12), nn.ReLU(),
            nn.Conv2D(12, 24, 3, padding=1), nn.BatchNorm2D(24), nn.ReLU(), nn.AdaptiveMaxPool2D(1))
        self.fc = nn.Linear(24, 3)

    def forward(self, x):
        x = x.transpose([0, 3, 1, 2])
        return self.fc(self.features(x).flatten(1))


xs, ys = make(320)
loader = DataLoader(TensorDataset([paddle.to_tensor(xs), paddle.to_tensor(ys)]), batch_size=32, shuffle=True)
model = SmallCNN()
opt = paddle.optimizer.Adam(5e-3, parameters=model.parameters())
for epoch in range(7):
    model.train()
    tot = 0.0
    for xb, yb in loader:
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / len(loader):.4f}")
model.eval()
xv, yv = make(200)
print("val acc", (model(paddle.to_tensor(xv)).argmax(1).numpy() == yv).mean())
