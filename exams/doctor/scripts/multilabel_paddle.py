import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, TensorDataset

paddle.seed(26)
np.random.seed(26)
n, L = 3000, 6
x = np.random.randn(n, 12).astype("float32")
M = np.random.randn(12, L)
tags = ((x @ M + 0.8 * x[:, :1] * x[:, 1:2]) > 0.5).astype("float32")
xt, tt = paddle.to_tensor(x), paddle.to_tensor(tags)
loader = DataLoader(TensorDataset([xt[:2400], tt[:2400]]), batch_size=60, shuffle=True)


class Tagger(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 64)
        self.fc2 = nn.Linear(64, L)

    def forward(self, x):
        return F.sigmoid(self.fc2(F.relu(self.fc1(x))))


def micro_f1(p, t):
    tp = (p * t).sum()
    return 2 * tp / max(1.0, p.sum() + t.sum())


model = Tagger()
criterion = nn.BCELoss()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
for epoch in range(10):
    model.train()
    for a, b in loader:
        loss = criterion(model(a), b)
        loss.backward()
        opt.step()
        opt.clear_grad()
    model.eval()
    pred = (model(xt[2400:]).numpy() > 0.5).astype("float32")
    print("epoch", epoch, "loss", round(float(loss), 4), "f1", round(float(micro_f1(pred, tags[2400:])), 4))
