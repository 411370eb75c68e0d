import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import StepLR

torch.manual_seed(0)
rng = np.random.RandomState(0)


def spirals(n, k=3):
    t = rng.rand(n)
    lab = rng.randint(0, k, n)
    ang = 4.0 * t + lab * 2 * np.pi / k
    pts = np.stack([t * np.cos(ang), t * np.sin(ang)], 1) + 0.02 * rng.randn(n, 2)
    return torch.tensor(pts, dtype=torch.float32), torch.from_numpy(lab)


x, y = spirals(1200)
xv, yv = spirals(300)
model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = StepLR(optimizer, step_size=10, gamma=0.3)


def run_epoch():
    total = 0.0
    for idx in torch.randperm(len(x)).split(40):
        optimizer.zero_grad()
        loss = criterion(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / 30


for epoch in range(1, 31):
    avg = run_epoch()
    scheduler.step()
    if epoch % 6 == 0:
        with torch.no_grad():
            acc = (model(xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} lr {optimizer.param_groups[0]['lr']:.2e} loss {avg:.3f} val acc {acc:.3f}")
