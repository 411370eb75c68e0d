import copy
import math
import torch
import torch.nn as nn

torch.manual_seed(0)
T = 40
s = torch.linspace(0, 1, T + 1)
f = torch.cos((s + 0.008) / 1.008 * math.pi / 2) ** 2
abar = (f / f[0])[1:].clamp(min=1e-4)
beta = (1 - f[1:] / f[:-1]).clamp(max=0.95)
alpha = 1 - beta


def clusters(n):
    c = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [0.0, -1.2]])
    return c[torch.randint(0, 3, (n,))] + 0.12 * torch.randn(n, 2)


class EpsNet(nn.Module):
    def __init__(self, h=96):
        super().__init__()
        self.register_buffer("freq", 2.0 ** torch.arange(6) * math.pi)
        self.net = nn.Sequential(nn.Linear(2 + 12, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, 2))

    def forward(self, x, t):
        a = (t.float() / T)[:, None] * self.freq
        return self.net(torch.cat([x, a.sin(), a.cos()], 1))


net = EpsNet()
ema = copy.deepcopy(net).requires_grad_(False)
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-4)


@torch.no_grad()
def draw(model, n):
    x = torch.randn(n, 2)
    for i in range(T - 1, -1, -1):
        e = model(x, torch.full((n,), i))
        x = (x - beta[i] / (1 - abar[i]).sqrt() * e) / alpha[i].sqrt()
        if i:
            x += beta[i].sqrt() * torch.randn(n, 2)
    return x


for it in range(1, 601):
    x0 = clusters(128)
    t = torch.randint(0, T, (128,))
    eps = torch.randn_like(x0)
    xt = abar[t].sqrt()[:, None] * x0 + (1 - abar[t]).sqrt()[:, None] * eps
    loss = (net(xt, t) - eps).square().mean()
    opt.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    with torch.no_grad():
        for pe, p in zip(ema.parameters(), net.parameters()):
            pe.lerp_(p, 0.02)
    if it == 1 or it % 150 == 0:
        g, r = draw(ema, 300), clusters(300)
        e = 2 * torch.cdist(g, r).mean() - torch.cdist(g, g).mean() - torch.cdist(r, r).mean()
        print(f"it {it} loss {loss.item():.3f} energy distance {e.item():.4f}")
