import torch
import torch.nn as nn
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)
N = 3000
t = torch.rand(N, 1) * 4 * 3.14159
c = torch.randint(0, 2, (N, 1)).float()
X = torch.cat([t.cos() * t / 6, t.sin() * t / 6], 1) * (1 - 2 * c) + 0.05 * torch.randn(N, 2)
Y = c.squeeze(1)
train_dl = DataLoader(TensorDataset(X[:2400], Y[:2400]), batch_size=40, shuffle=True)
test_dl = DataLoader(TensorDataset(X[2400:], Y[2400:]), batch_size=200)


class Spiral(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, x):
        return self.body(x).squeeze(1)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    s = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        s += loss.item()
    return s / len(loader)


def test(model, loader):
    model.eval()
    with torch.no_grad():
        return sum(((model(x) > 0) == (y > 0.5)).sum().item() for x, y in loader) / len(loader.dataset)


model = Spiral()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = StepLR(optimizer, step_size=10, gamma=0.5)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(25):
    l = train_one_epoch(model, train_dl, criterion, optimizer)
    scheduler.step()
    if epoch % 5 == 4:
        print(f"Epoch {epoch + 1:2d} lr {scheduler.get_last_lr()[0]:.2e} loss {l:.4f} test acc {test(model, test_dl):.4f}")
