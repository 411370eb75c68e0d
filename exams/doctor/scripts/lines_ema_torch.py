import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(11)


class ModelEMA:
    def __init__(self, model, decay=0.98):
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


def shapes(n):
    x = torch.randn(n, 1, 12, 12) * 0.4 + 1.0
    y = torch.randint(0, 4, (n,))
    for i in range(n):
        r, c = torch.randint(1, 8, (2,)).tolist()
        k = y[i].item()
        if k == 0:
            x[i, 0, r, 1:9] += 2
        elif k == 1:
            x[i, 0, 1:9, c] += 2
        elif k == 2:
            for j in range(8):
                x[i, 0, (r + j) % 12, (c + j) % 12] += 2
        else:
            for j in range(8):
                x[i, 0, (r + j) % 12, (c - j) % 12] += 2
    return x, y


xtr, ytr = shapes(1600)
xte, yte = shapes(400)
net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4))
ema = ModelEMA(net)
opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9, weight_decay=5e-4)

for epoch in range(8):
    net.train()
    for i in torch.randperm(1600).split(32):
        loss = F.cross_entropy(net(xtr[i]), ytr[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(net)
    with torch.no_grad():
        acc = (ema.module(xte).argmax(1) == yte).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} ema acc {acc:.4f}")
