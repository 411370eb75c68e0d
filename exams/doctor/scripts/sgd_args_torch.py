import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Shapes(Dataset):
    """8x8 gray images: horizontal bar, vertical bar, diagonal."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, 3, (n,), generator=g)
        self.x = 0.3 * torch.randn(n, 1, 8, 8, generator=g)
        for i in range(n):
            k = torch.randint(0, 8, (1,), generator=g).item()
            if self.y[i] == 0:
                self.x[i, 0, k, :] += 1
            elif self.y[i] == 1:
                self.x[i, 0, :, k] += 1
            else:
                self.x[i, 0] += torch.eye(8).roll(k, 0)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


cfg = {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4, "epochs": 10}
torch.manual_seed(0)
train_loader = DataLoader(Shapes(512, 1), batch_size=32, shuffle=True)
val_loader = DataLoader(Shapes(256, 2), batch_size=64)
net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
                    nn.ReLU(), nn.Flatten(), nn.Linear(512, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=cfg["lr"], momentum=cfg["momentum"], weight_decay=cfg["weight_decay"])
loss_fn = nn.CrossEntropyLoss()
for epoch in range(cfg["epochs"]):
    net.train()
    tot = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        optimizer.step()
        tot += loss.item()
    net.eval()
    hit = 0
    with torch.no_grad():
        for xb, yb in val_loader:
            hit += (net(xb).argmax(1) == yb).sum().item()
    print(f"[{epoch}] train loss {tot / len(train_loader):.4f} val acc {hit / 256:.3f}")
