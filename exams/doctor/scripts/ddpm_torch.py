"""DDPM on two-dimensional points (two moons), with an EMA copy for sampling."""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
T = 100
betas = torch.linspace(1e-4, 0.05, T)
alpha_bar = torch.cumprod(1.0 - betas, dim=0)
STEPS = 18


class TimeEmbedding(nn.Module):
    def __init__(self, dim):
        super().__init__()
        freqs = torch.exp(-math.log(1000.0) * torch.arange(dim // 2) / (dim // 2))
        self.register_buffer("freqs", freqs)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, t):
        a = t.float()[:, None] * self.freqs[None]
        return self.mlp(torch.cat([a.sin(), a.cos()], dim=-1))


class Denoiser(nn.Module):
    def __init__(self, width=64, depth=3):
        super().__init__()
        self.time = TimeEmbedding(width)
        self.inp = nn.Linear(2, width)
        self.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) for _ in range(depth))
        self.out = nn.Linear(width, 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x, t):
        emb = self.time(t)
        h = self.inp(x)
        for block in self.blocks:
            h = h + block(h + emb)
        return self.out(h)


def two_moons(n):
    a = torch.rand(n) * math.pi
    side = torch.randint(0, 2, (n,))
    x = torch.where(side == 0, a.cos(), 1 - a.cos())
    y = torch.where(side == 0, a.sin(), 0.5 - a.sin())
    pts = torch.stack([x - 0.5, y - 0.25], dim=1)
    return pts + 0.05 * torch.randn(n, 2)


model = Denoiser()
ema = copy.deepcopy(model).requires_grad_(False).eval()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / 10))


@torch.no_grad()
def update_ema(decay=0.99):
    for e, p in zip(ema.parameters(), model.parameters()):
        e.lerp_(p, 1 - decay)


history = []
with parity.doctor({"model": model, "ema": ema}, {"optimizer": optimizer}, expect=["frozen-network:ema"]) as d:
    for step in range(STEPS):
        d.mark()
        x0 = two_moons(128)
        t = torch.randint(0, T, (x0.shape[0],))
        noise = torch.randn_like(x0)
        ab = alpha_bar[t][:, None]
        x_t = ab.sqrt() * x0 + (1 - ab).sqrt() * noise
        loss = F.mse_loss(model(x_t, t), noise)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        update_ema()
        history.append(loss.item())
print(d)
