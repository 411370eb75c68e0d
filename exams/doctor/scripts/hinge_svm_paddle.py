import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, TensorDataset

paddle.seed(0)
np.random.seed(0)
x = np.random.randn(800, 15).astype("float32")
w = np.random.randn(15)
y = (x @ w + 0.5 * np.random.randn(800) > 0).astype("float32")
x_tr, y_tr, x_te, y_te = x[:600], y[:600], x[600:], y[600:]


class LinearSVM(nn.Layer):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, 1)

    def forward(self, x):
        return self.fc(x).squeeze(-1)


def hinge(score, label):
    return F.relu(1 - (2 * label - 1) * score).mean()


model = LinearSVM(15)
loader = DataLoader(TensorDataset([paddle.to_tensor(x_tr), paddle.to_tensor(y_tr)]), batch_size=60, shuffle=True)
opt = paddle.optimizer.SGD(learning_rate=0.1, parameters=model.parameters(), weight_decay=1e-3)
for epoch in range(12):
    tot = 0.0
    for xb, yb in loader:
        loss = hinge(model(xb), yb)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    print(f"epoch {epoch} hinge {tot / len(loader):.4f}")
pred = (model(paddle.to_tensor(x_te)).numpy() > 0).astype("float32")
print("test acc", (pred == y_te).mean(), "share predicted positive", pred.mean())
