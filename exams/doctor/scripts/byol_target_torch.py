import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
centers = 1.5 * torch.randn(6, 24)
lab = torch.arange(600) % 6
data = centers[lab] + torch.randn(600, 24)
online = nn.Sequential(nn.Linear(24, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 16))
predictor = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
target = copy.deepcopy(online)
for p in target.parameters():
    p.requires_grad = False
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=3e-3)


def aug(x):
    return x * (torch.rand_like(x) > 0.15) + 0.3 * torch.randn_like(x)


for step in range(120):
    x = data[torch.randint(0, 600, (128,))]
    a, b = aug(x), aug(x)
    with torch.no_grad():
        ta, tb = F.normalize(target(a), dim=1), F.normalize(target(b), dim=1)
    pa, pb = F.normalize(predictor(online(a)), dim=1), F.normalize(predictor(online(b)), dim=1)
    loss = (2 - 2 * (pa * tb).sum(1)).mean() + (2 - 2 * (pb * ta).sum(1)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    tau = 0.98
    with torch.no_grad():
        for po, pt in zip(online.parameters(), target.parameters()):
            pt.copy_(tau * pt + (1 - tau) * po)
    if step % 12 == 0:
        print(f"step {step} byol loss {loss.item():.4f}")
