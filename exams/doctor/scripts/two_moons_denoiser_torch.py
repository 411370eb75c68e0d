import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
T = 50
betas = torch.linspace(1e-3, 0.15, T)
alphas = 1 - betas
abar = torch.cumprod(alphas, 0)


def swiss(n):
    t = 1.5 * np.pi * (1 + 2 * rng.rand(n))
    pts = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 8 + 0.03 * rng.randn(n, 2)
    return torch.tensor(pts, dtype=torch.float32)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(T, 32)
        self.inp = nn.Linear(2, 96)
        self.tproj = nn.Linear(32, 96)
        self.body = nn.Sequential(nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 2))

    def forward(self, x, t):
        return self.body(self.inp(x) + self.tproj(self.emb(t)))


def q_sample(x0, t, noise):
    a = abar[t][:, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


@torch.no_grad()
def sample(model, n):
    x = torch.randn(n, 2)
    for i in reversed(range(T)):
        eps = model(x, torch.full((n,), i))
        x = (x - betas[i] / (1 - abar[i]).sqrt() * eps) / alphas[i].sqrt()
        if i > 0:
            x = x + betas[i].sqrt() * torch.randn_like(x)
    return x


model = Denoiser()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for it in range(1, 601):
    x0 = swiss(128)
    t = torch.randint(0, T, (128,))
    noise = torch.randn_like(x0)
    x_t = q_sample(x0, t, noise)
    loss = F.mse_loss(model(x_t, t), noise)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 120 == 0:
        s, r = sample(model, 400), swiss(400)
        gap = 2 * torch.cdist(s, r).mean() - torch.cdist(s, s).mean() - torch.cdist(r, r).mean()
        print(f"iter {it} loss {loss.item():.3f} energy distance {gap.item():.4f}")
