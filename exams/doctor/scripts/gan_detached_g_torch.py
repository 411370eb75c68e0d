import math
import torch
from torch import nn

torch.manual_seed(0)


def real_batch(n):
    k = torch.randint(0, 4, (n,))
    a = k * math.pi / 2
    return torch.stack([a.cos(), a.sin()], 1) * 1.5 + 0.1 * torch.randn(n, 2)


G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
one, zero = torch.ones(64, 1), torch.zeros(64, 1)
for it in range(700):
    fake = G(torch.randn(64, 4))
    loss_d = bce(D(real_batch(64)), one) + bce(D(fake.detach()), zero)
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    loss_g = bce(D(fake), one)
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if it % 150 == 0:
        print(f"{it} loss_d {loss_d.item():.3f} loss_g {loss_g.item():.3f}")
with torch.no_grad():
    gap = (torch.cdist(G(torch.randn(500, 4)), real_batch(500)).min(1)[0]).mean().item()
print("loss_d", loss_d.item(), "loss_g", loss_g.item(), "distance of samples to data", gap)
