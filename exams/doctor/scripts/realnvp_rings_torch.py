import math
import torch
import torch.nn as nn

torch.manual_seed(0)


def rings(n):
    r = torch.where(torch.rand(n) < 0.5, 0.5, 1.5) + 0.05 * torch.randn(n)
    a = 2 * math.pi * torch.rand(n)
    return torch.stack([r * a.cos(), r * a.sin()], 1)


class Affine(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)
        self.net = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 4))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def st(self, x):
        s, t = self.net(x * self.mask).chunk(2, 1)
        return torch.tanh(s) * (1 - self.mask), t * (1 - self.mask)

    def forward(self, x):
        s, t = self.st(x)
        return x * s.exp() + t, s.sum(1)

    def inverse(self, z):
        s, t = self.st(z)
        return (z - t) * (-s).exp()


masks = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])]
flow = nn.ModuleList(Affine(masks[k % 2]) for k in range(6))
opt = torch.optim.Adam(flow.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.998)


def nll(x):
    ld = 0.0
    for layer in flow:
        x, d = layer(x)
        ld = ld + d
    return (0.5 * x.pow(2).sum(1) + math.log(2 * math.pi) - ld).mean()


print(f"start nll {nll(rings(1000)).item():.3f}")
for it in range(1, 401):
    loss = nll(rings(256))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
    opt.step()
    sched.step()
    if it % 100 == 0:
        with torch.no_grad():
            z = torch.randn(500, 2)
            for layer in reversed(flow):
                z = layer.inverse(z)
        print(f"it {it} nll {loss.item():.3f} sample radius {z.norm(dim=1).mean().item():.3f}")
