import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(6, 20)


def split(n):
    lab = rng.randint(0, 6, n)
    x = 5.0 * (proto[lab] + 0.9 * rng.randn(n, 20)) + 20.0
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(lab)


def build():
    return nn.Sequential(
        nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(),
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(),
        nn.Linear(64, 6),
    )


class ModelEMA:
    def __init__(self, model, decay=0.97):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for e, p in zip(self.module.parameters(), model.parameters()):
            e.mul_(self.decay).add_(p, alpha=1 - self.decay)
        for e, b in zip(self.module.buffers(), model.buffers()):
            e.copy_(b)


x, y = split(1200)
xv, yv = split(400)
model = build()
ema = ModelEMA(model)
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for epoch in range(1, 11):
    model.train()
    for idx in torch.randperm(len(x)).split(60):
        loss = F.cross_entropy(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(model)
    if epoch % 2 == 0:
        model.eval()
        with torch.no_grad():
            raw = (model(xv).argmax(1) == yv).float().mean().item()
            avg = (ema.module(xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} raw acc {raw:.3f} ema acc {avg:.3f}")
