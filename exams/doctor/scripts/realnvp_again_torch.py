import math

import torch
import torch.nn as nn

torch.manual_seed(0)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x):
        a, b = x[:, :1], x[:, 1:]
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = 2 * torch.tanh(s)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.sum(1)


flows = nn.ModuleList([Coupling(i % 2 == 1) for i in range(6)])
opt = torch.optim.Adam(flows.parameters(), lr=5e-3)


def data(n):
    a = torch.rand(n, 1) * 2 - 1
    return torch.cat([0.3 * a, 0.2 * a ** 2 + 0.01 * torch.randn(n, 1)], 1)


for step in range(180):
    z, logdet = data(256), 0.0
    for f in flows:
        z, ld = f(z)
        logdet = logdet + ld
    nll = (0.5 * (z ** 2).sum(1) + math.log(2 * math.pi) - logdet).mean()
    opt.zero_grad()
    nll.backward()
    nn.utils.clip_grad_norm_(flows.parameters(), 5.0)
    opt.step()
    if step % 18 == 0:
        print(f"step {step} nll {nll.item():.4f}")
