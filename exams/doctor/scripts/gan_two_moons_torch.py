import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def real_batch(n):
    t = torch.rand(n) * math.pi
    up = torch.rand(n) < 0.5
    x = torch.where(up, torch.cos(t), 1 - torch.cos(t))
    y = torch.where(up, torch.sin(t), 0.5 - torch.sin(t))
    return torch.stack([x, y], 1) + 0.04 * torch.randn(n, 2)


def block(i, o):
    return [nn.Linear(i, o), nn.LeakyReLU(0.2)]


G = nn.Sequential(*block(6, 64), *block(64, 64), nn.Linear(64, 2))
D = nn.Sequential(*block(2, 64), *block(64, 64), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
for step in range(1200):
    z = torch.randn(128, 6)
    with torch.no_grad():
        fake = G(z)
    d_loss = F.softplus(-D(real_batch(128))).mean() + F.softplus(D(fake)).mean()
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    for p in D.parameters():
        p.requires_grad_(False)
    g_loss = F.softplus(-D(G(torch.randn(128, 6)))).mean()
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    for p in D.parameters():
        p.requires_grad_(True)
    if step % 300 == 299:
        print(f"step {step + 1} d {d_loss.item():.3f} g {g_loss.item():.3f}")
with torch.no_grad():
    d = torch.cdist(G(torch.randn(500, 6)), real_batch(1500)).min(1)[0].mean()
print("sample distance", round(d.item(), 4))
