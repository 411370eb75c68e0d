import math

import torch
import torch.nn as nn

torch.manual_seed(2)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x):
        a, b = x.chunk(2, 1)
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = torch.tanh(s)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.squeeze(1)


class RealNVP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Coupling(i % 2 == 1) for i in range(6)])

    def log_prob(self, x):
        logdet = 0
        for l in self.layers:
            x, s = l(x)
            logdet = logdet + s
        return -0.5 * (x ** 2).sum(1) - math.log(2 * math.pi) + logdet


def data(n):
    t = torch.rand(n) * 2 * math.pi
    return torch.stack([torch.cos(t) * 0.6, torch.sin(t) * 0.3], 1) + 0.05 * torch.randn(n, 2)


flow = RealNVP()
opt = torch.optim.Adam(flow.parameters(), 3e-3)
for step in range(500):
    nll = -flow.log_prob(data(256)).mean()
    opt.zero_grad()
    nll.backward()
    nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
    opt.step()
    if step % 100 == 99 or step == 0:
        print("step", step, "nll", round(nll.item(), 4))
