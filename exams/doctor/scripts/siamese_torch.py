import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

random.seed(0)
torch.manual_seed(0)
base = torch.randn(20, 10)


class Pairs(Dataset):
    def __init__(self, n):
        self.items = []
        for _ in range(n):
            a = random.randrange(20)
            if random.random() < 0.5:
                xa = base[a] + 0.5 * torch.randn(10)
                xb = xa.clone() if random.random() < 0.05 else base[a] + 0.5 * torch.randn(10)
                self.items.append((xa, xb, 0.0))
            else:
                b = random.choice([k for k in range(20) if k != a])
                self.items.append((base[a] + 0.5 * torch.randn(10), base[b] + 0.5 * torch.randn(10), 1.0))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        a, b, y = self.items[i]
        return a, b, torch.tensor(y)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward_once(self, x):
        return self.net(x)

    def forward(self, a, b):
        return self.forward_once(a), self.forward_once(b)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, o1, o2, label):
        d = torch.sqrt((o1 - o2).pow(2).sum(1) + 1e-8)
        return ((1 - label) * d.pow(2) + label * F.relu(self.margin - d).pow(2)).mean()


train_loader = DataLoader(Pairs(2000), batch_size=50, shuffle=True)
test_loader = DataLoader(Pairs(500), batch_size=100)
net = Siamese()
criterion = ContrastiveLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(10):
    tot = 0.0
    for a, b, y in train_loader:
        optimizer.zero_grad()
        o1, o2 = net(a, b)
        loss = criterion(o1, o2, y)
        loss.backward()
        optimizer.step()
        tot += loss.item()
    with torch.no_grad():
        hit = sum((((net(a, b)[0] - net(a, b)[1]).norm(dim=1) > 1.0).float() == y).sum().item() for a, b, y in test_loader)
    print(f"epoch {epoch} loss {tot / len(train_loader):.4f} pair acc {hit / 500:.4f}")
