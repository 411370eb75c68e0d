"""RealNVP on two moons: density estimation by maximum likelihood."""
import math
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
STEPS = 20


def moons(n):
    t = torch.rand(n) * math.pi
    up = (torch.rand(n) < 0.5).float()
    x = torch.stack([torch.cos(t) * (2 * up - 1) + (1 - up), torch.sin(t) * (2 * up - 1) + 0.5 * (1 - up)], 1)
    return x + 0.08 * torch.randn(n, 2)


class ActNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.shift, self.log_scale = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, x):
        if not self.ready:                                  # initialised from the first batch
            with torch.no_grad():
                self.shift.copy_(-x.mean(0))
                self.log_scale.copy_(-x.std(0).log())
                self.ready.fill_(True)
        return (x + self.shift) * self.log_scale.exp(), self.log_scale.sum()


class Coupling(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)
        self.net = nn.Sequential(weight_norm(nn.Linear(2, 64)), nn.ReLU(), weight_norm(nn.Linear(64, 64)), nn.ReLU(),
                                 nn.Linear(64, 4))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x):
        s, t = self.net(x * self.mask).chunk(2, -1)
        s = torch.tanh(s) * (1 - self.mask)
        return x * s.exp() + t * (1 - self.mask), s.sum(-1)


class Flow(nn.Module):
    def __init__(self, depth=6):
        super().__init__()
        self.steps = nn.ModuleList()
        for i in range(depth):
            self.steps += [ActNorm(2), Coupling(torch.tensor([i % 2, 1 - i % 2]).float())]

    def log_prob(self, x):
        total = 0
        for step in self.steps:
            x, logdet = step(x)
            total = total + logdet
        return total - 0.5 * (x ** 2).sum(-1) - math.log(2 * math.pi)


flow = Flow()
optimizer = torch.optim.Adamax(flow.parameters(), lr=3e-3)
losses = []
with parity.doctor(flow, optimizer) as d:
    for step in range(STEPS):
        nll = -flow.log_prob(moons(256)).mean()
        optimizer.zero_grad()
        nll.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        optimizer.step()
        losses.append(nll.item())
print(d)
