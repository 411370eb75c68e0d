import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 10
np.random.seed(SEED)
torch.manual_seed(SEED)
n = 4000
X = np.random.randn(n, 10).astype("float32")
logit = 2.5 * X[:, 0] * X[:, 1] + 1.5 * np.sin(2 * X[:, 2]) + X[:, 3] - 2.6
y = (logit > 0).astype("float32")
print("positive rate", y.mean())
Xt, yt = torch.tensor(X), torch.tensor(y)


class BinaryClassification(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_1 = nn.Linear(10, 64)
        self.layer_2 = nn.Linear(64, 64)
        self.layer_out = nn.Linear(64, 1)
        self.relu = nn.ReLU()
        self.batchnorm1 = nn.BatchNorm1d(64)
        self.batchnorm2 = nn.BatchNorm1d(64)

    def forward(self, x):
        x = self.batchnorm1(self.relu(self.layer_1(x)))
        x = self.batchnorm2(self.relu(self.layer_2(x)))
        x = self.layer_out(x)
        return x


def f1(pred, target):
    tp = (pred * target).sum()
    return (2 * tp / (pred.sum() + target.sum()).clamp(min=1)).item()


model = BinaryClassification()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
train_loader = DataLoader(TensorDataset(Xt[:3200], yt[:3200]), batch_size=64, shuffle=True)
for e in range(12):
    model.train()
    el = 0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        y_pred = model(xb)
        loss = criterion(y_pred, yb.unsqueeze(1))
        loss.backward()
        optimizer.step()
        el += loss.item()
    model.eval()
    with torch.no_grad():
        prob = torch.sigmoid(model(Xt[3200:])).squeeze(1)
        score = f1((prob > 0.5).float(), yt[3200:])
    print(f"Epoch {e:03}: Loss {el / len(train_loader):.5f} F1 {score:.4f}")
