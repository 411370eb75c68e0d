import math
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)


def moons(n):
    t = rng.rand(n) * np.pi
    up = rng.rand(n) < 0.5
    x = np.where(up, np.cos(t), 1 - np.cos(t))
    y = np.where(up, np.sin(t), 0.5 - np.sin(t))
    return torch.tensor(np.stack([x, y], 1) + 0.07 * rng.randn(n, 2), dtype=torch.float32)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = 1.5 * torch.tanh(s)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.squeeze(1)

    def inverse(self, z):
        a, b = z.chunk(2, 1)
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        b = (b - t) * (-1.5 * torch.tanh(s)).exp()
        return torch.cat([b, a] if self.flip else [a, b], 1)


layers = nn.ModuleList(Coupling(i % 2 == 1) for i in range(6))


def log_prob(x):
    log_det = torch.zeros(len(x))
    for layer in layers:
        x, ld = layer(x)
        log_det = log_det + ld
    base = -0.5 * (x ** 2).sum(1) - math.log(2 * math.pi)
    return base + log_det


opt = torch.optim.Adam(layers.parameters(), lr=2e-3)
for it in range(1, 301):
    loss = -log_prob(moons(256)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 60 == 0:
        with torch.no_grad():
            z = torch.randn(500, 2)
            for layer in reversed(layers):
                z = layer.inverse(z)
            ref = moons(500)
            gap = 2 * torch.cdist(z, ref).mean() - torch.cdist(z, z).mean() - torch.cdist(ref, ref).mean()
        print(f"iter {it} nll {loss.item():.3f} energy distance of samples {gap.item():.4f}")
