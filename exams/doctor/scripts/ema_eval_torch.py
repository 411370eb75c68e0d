import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class ModelEMA:
    def __init__(self, model, decay=0.95):
        self.module = copy.deepcopy(model).eval()
        for p in self.module.parameters():
            p.requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        msd = model.state_dict()
        for k, v in self.module.state_dict().items():
            if v.dtype.is_floating_point:
                v.mul_(self.decay).add_(msd[k].detach(), alpha=1.0 - self.decay)


centers = torch.randn(5, 20)
y = torch.randint(0, 5, (1000,))
x = centers[y] + 0.8 * torch.randn(1000, 20)
x_va, y_va, x, y = x[800:], y[800:], x[:800], y[:800]

model = nn.Sequential(nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 5))
ema = ModelEMA(model)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)

for epoch in range(10):
    model.train()
    for i in range(0, 800, 64):
        loss = F.cross_entropy(model(x[i:i + 64]), y[i:i + 64])
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(model)
    with torch.no_grad():
        acc = (ema.module(x_va).argmax(1) == y_va).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} ema val acc {acc:.3f}")
