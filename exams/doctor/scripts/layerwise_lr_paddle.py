import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2D(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2),
            nn.Conv2D(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(16 * 16, 4)

    def forward(self, x):
        return self.head(self.backbone(x))


y_np = np.random.randint(0, 4, 400)
x_np = 0.3 * np.random.randn(400, 1, 8, 8).astype("float32")
for i, c in enumerate(y_np):
    r, q = divmod(int(c), 2)
    x_np[i, 0, r * 4:r * 4 + 4, q * 4:q * 4 + 4] += 0.6
x, y = paddle.to_tensor(x_np), paddle.to_tensor(y_np)

model = Net()
opt = paddle.optimizer.Adam(
    learning_rate=1e-3,
    parameters=[
        {"params": model.backbone.parameters(), "learning_rate": 1.0},
        {"params": model.head.parameters(), "learning_rate": 10.0},
    ])
for epoch in range(12):
    perm = np.random.permutation(400)
    tot = 0.0
    for i in range(0, 400, 40):
        idx = paddle.to_tensor(perm[i:i + 40])
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    print(f"epoch {epoch} loss {tot / 10:.4f}")
print("acc", float((model(x).argmax(1) == y).astype("float32").mean()))
