import math
import torch
import torch.nn as nn

torch.manual_seed(0)


def real_batch(n):
    k = torch.randint(0, 8, (n,)).float() * (2 * math.pi / 8)
    return torch.stack([k.cos(), k.sin()], 1) + 0.05 * torch.randn(n, 2)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


class Gan:
    def __init__(self):
        self.G, self.D = mlp(8, 2), mlp(2, 1)
        self.og = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.od = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.bce = nn.BCEWithLogitsLoss()

    def fake(self, n):
        return self.G(torch.randn(n, 8))

    def step_d(self, real):
        fake = self.fake(len(real)).detach()
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        loss = self.bce(self.D(real), ones) + self.bce(self.D(fake), zeros)
        self.od.zero_grad()
        loss.backward()
        self.od.step()
        return loss.item()

    def step_g(self, n):
        fake = self.fake(n)
        loss = self.bce(self.D(fake), torch.ones(n, 1))
        self.og.zero_grad()
        loss.backward()
        self.og.step()
        return loss.item()


gan = Gan()
for it in range(1, 1501):
    ld = gan.step_d(real_batch(128))
    lg = gan.step_g(128)
    if it % 300 == 0:
        with torch.no_grad():
            r = gan.fake(1000).norm(dim=1)
        print(f"iter {it} D {ld:.3f} G {lg:.3f} radius error {(r - 1).abs().mean().item():.3f}")
