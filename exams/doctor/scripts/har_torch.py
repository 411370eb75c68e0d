import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.RandomState(5)
torch.manual_seed(5)
CLASSES = ["idle", "walk", "run", "stairs", "bike", "car"]


def record(cls, n):
    t = np.arange(32) / 32
    f = [0, 2, 4, 2, 3, 7][cls]
    amp = [0.1, 1.0, 1.6, 1.0, 0.8, 0.4][cls]
    ph = rng.rand(n, 1) * 6.28
    x = amp * np.sin(2 * np.pi * f * t + ph) + (0.5 * amp * np.sin(4 * np.pi * f * t + 2 * ph) if cls == 3 else 0)
    return x + 0.25 * rng.randn(n, 32)


def load(per_class):
    x = np.concatenate([record(c, per_class) for c in range(len(CLASSES))])
    y = np.repeat(np.arange(len(CLASSES)), per_class)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


x_train, y_train = load(300)
x_test, y_test = load(60)
train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=30, shuffle=True)


class HAR(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool1d(4))
        self.fc = nn.Linear(128, len(CLASSES))

    def forward(self, x):
        return self.fc(self.conv(x.unsqueeze(1)).flatten(1))


model = HAR()
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(6):
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
    with torch.no_grad():
        acc = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"epoch {epoch} last loss {loss.item():.4f} test acc {acc:.4f}")
