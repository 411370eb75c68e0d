import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
T = 60
betas = torch.linspace(1e-4, 0.12, T)
alphas = 1 - betas
abar = torch.cumprod(alphas, 0)


def swiss(n):
    t = 1.5 * math.pi * (1 + 2 * torch.rand(n))
    return torch.stack([t * torch.cos(t), t * torch.sin(t)], 1) / 8 + 0.02 * torch.randn(n, 2)


class Denoiser(nn.Module):
    def __init__(self, h=96):
        super().__init__()
        self.temb = nn.Embedding(T, h)
        self.inp = nn.Linear(2, h)
        self.mid = nn.Linear(h, h)
        self.mid2 = nn.Linear(h, h)
        self.out = nn.Linear(h, 2)

    def forward(self, x, t):
        h = F.silu(self.inp(x) + self.temb(t))
        h = F.silu(self.mid(h) + self.temb(t))
        h = F.silu(self.mid2(h))
        return self.out(h)


def q_sample(x0, t, noise):
    a = abar[t].unsqueeze(1)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


def p_losses(model, x0, t, noise=None):
    if noise is None:
        noise = torch.randn_like(x0)
    x_noisy = q_sample(x0, t, noise)
    predicted_noise = model(x_noisy, t)
    return F.mse_loss(predicted_noise, noise)


@torch.no_grad()
def sample(model, n):
    x = torch.randn(n, 2)
    for i in reversed(range(T)):
        t = torch.full((n,), i, dtype=torch.long)
        eps = model(x, t)
        x = (x - betas[i] / (1 - abar[i]).sqrt() * eps) / alphas[i].sqrt()
        if i > 0:
            x = x + betas[i].sqrt() * torch.randn_like(x)
    return x


model = Denoiser()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(1200):
    x0 = swiss(256)
    t = torch.randint(0, T, (256,))
    loss = p_losses(model, x0, t)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 200 == 199:
        print("step", step + 1, "loss", round(loss.item(), 4))
d = torch.cdist(sample(model, 500), swiss(2000)).min(1)[0].mean().item()
print("mean distance of samples to data", round(d, 4))
