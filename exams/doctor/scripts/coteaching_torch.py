import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)
n = 3000
x = torch.randn(n, 10)
y = ((x[:, :5].sum(1) > 0).long() + 2 * (x[:, 5] * x[:, 6] > 0).long())
noisy = y.clone()
flip = torch.rand(n) < 0.3
noisy[flip] = torch.randint(0, 4, (int(flip.sum()),))
xt, yt, xv, yv = x[:2400], noisy[:2400], x[2400:], y[2400:]


def mk():
    return nn.Sequential(nn.Linear(10, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 4))


a, b = mk(), mk()
oa, ob = torch.optim.Adam(a.parameters(), 2e-3), torch.optim.Adam(b.parameters(), 2e-3)
for epoch in range(12):
    keep = 1 - min(0.25, 0.05 * epoch)
    for idx in torch.randperm(2400).split(120):
        la = F.cross_entropy(a(xt[idx]), yt[idx], reduction="none")
        lb = F.cross_entropy(b(xt[idx]), yt[idx], reduction="none")
        k = int(keep * len(idx))
        pick_a, pick_b = la.detach().argsort()[:k], lb.detach().argsort()[:k]
        oa.zero_grad()
        la[pick_b].mean().backward()
        oa.step()
        ob.zero_grad()
        lb[pick_a].mean().backward()
        ob.step()
    acc = (a(xv).argmax(1) == yv).float().mean().item()
    print(f"epoch {epoch} kept {keep:.2f} clean val acc {acc:.4f}")
