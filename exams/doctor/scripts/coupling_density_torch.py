import math
import torch
from torch import nn

torch.manual_seed(0)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 2))

    def forward(self, x):
        a, b = x[:, :1], x[:, 1:]
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        s = torch.tanh(s)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.sum(1)


class Flow(nn.Module):
    def __init__(self, depth=6):
        super().__init__()
        self.layers = nn.ModuleList([Coupling(flip=i % 2 == 1) for i in range(depth)])

    def log_prob(self, x):
        total = 0
        for layer in self.layers:
            x, ld = layer(x)
            total = total + ld
        return total - 0.5 * (x ** 2).sum(1) - math.log(2 * math.pi)


def crescent(n):
    a = torch.randn(n) * 0.8
    b = a ** 2 * 1.5 - 1 + torch.randn(n) * 0.2
    return torch.stack([b, torch.sign(torch.randn(n)) * 1.5 + a * 0.3], 1)


flow = Flow()
opt = torch.optim.Adam(flow.parameters(), lr=4e-3)
for it in range(450):
    loss = -flow.log_prob(crescent(256)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 100 == 0:
        print(it, loss.item())
with torch.no_grad():
    print("test nll", -flow.log_prob(crescent(4000)).mean().item())
