import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.RandomState(0)


def make_signals(n, length=32):
    t = np.arange(length)
    lab = rng.randint(0, 4, n)
    freq = np.array([1.0, 1.5, 2.0, 2.5])[lab]
    phase = rng.rand(n) * 2 * np.pi
    sig = np.sin(2 * np.pi * freq[:, None] * t / length + phase[:, None]) + 0.5 * rng.randn(n, length)
    return torch.tensor(sig[:, None], dtype=torch.float32), torch.from_numpy(lab)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 16, 9, padding=4), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(4),
        )
        self.classifier = nn.Linear(128, 4)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


train_loader = DataLoader(TensorDataset(*make_signals(400)), batch_size=50, shuffle=True)
x_val, y_val = make_signals(300)
criterion = nn.CrossEntropyLoss()
epochs = 15
model = ConvNet()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

for epoch in range(epochs):
    model.train()
    train_loss = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() / len(train_loader)
    model.eval()
    with torch.no_grad():
        val_acc = (model(x_val).argmax(1) == y_val).float().mean().item()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1}/{epochs} loss {train_loss:.3f} val acc {val_acc:.3f}")
