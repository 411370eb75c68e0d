import math

import torch
import torch.nn as nn

torch.manual_seed(0)
T = 50
betas = torch.linspace(1e-4, 0.2, T)
alphas = 1.0 - betas
alphas_cumprod = torch.cumprod(alphas, 0)


def moons(n):
    a = torch.rand(n) * math.pi
    up = (torch.rand(n) < 0.5).float()
    x = torch.stack([torch.cos(a) * (2 * up - 1) + (1 - up), torch.sin(a) * (2 * up - 1) + 0.5 * (1 - up)], 1)
    return (x - torch.tensor([0.5, 0.25])) * 1.5 + 0.03 * torch.randn(n, 2)


class Denoiser(nn.Module):
    def __init__(self, h=128):
        super().__init__()
        self.temb = nn.Embedding(T, 32)
        self.net = nn.Sequential(nn.Linear(34, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, 2))

    def forward(self, x, t):
        return self.net(torch.cat([x, self.temb(t)], 1))


def q_sample(x0, t, noise):
    a = alphas_cumprod[t].unsqueeze(1)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


model = Denoiser()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(200):
    x0 = moons(256)
    t = torch.randint(0, T, (256,))
    noise = torch.randn_like(x0)
    loss = nn.functional.mse_loss(model(q_sample(x0, t, noise), t), noise)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(f"step {step} eps-mse {loss.item():.4f}")

with torch.no_grad():
    x = torch.randn(1000, 2)
    for i in reversed(range(T)):
        t = torch.full((1000,), i)
        eps = model(x, t)
        x = (x - betas[i] / (1 - alphas_cumprod[i]).sqrt() * eps) / alphas[i].sqrt()
        if i > 0:
            x = x + betas[i].sqrt() * torch.randn_like(x)
    d = torch.cdist(x, moons(1000)).min(1)[0].mean().item()
print(f"mean distance of samples to the data {d:.3f}")
