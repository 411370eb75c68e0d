"""WGAN with gradient penalty on a ring of Gaussians, five critic steps for each generator step."""
import math

import torch
import torch.nn as nn

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
Z, BATCH, N_CRITIC, LAMBDA_GP = 8, 64, 5, 1.0
STEPS = 14


def real_batch(n):
    k = torch.randint(0, 8, (n,)).float() * (2 * math.pi / 8)
    return torch.stack([k.cos(), k.sin()], 1) + 0.05 * torch.randn(n, 2)


generator = nn.Sequential(nn.Linear(Z, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
opt_c = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))


def gradient_penalty(real, fake):
    eps = torch.rand(real.size(0), 1)
    mixed = (eps * real + (1 - eps) * fake).requires_grad_(True)
    score = critic(mixed)
    grad, = torch.autograd.grad(score.sum(), mixed, create_graph=True)
    return ((grad.norm(2, dim=1) - 1) ** 2).mean()


history = []
with parity.doctor({"generator": generator, "critic": critic}, {"opt_g": opt_g, "opt_c": opt_c}) as d:
    for step in range(STEPS):
        for _ in range(N_CRITIC):
            real = real_batch(BATCH)
            with torch.no_grad():
                fake = generator(torch.randn(BATCH, Z))
            gap = critic(real).mean() - critic(fake).mean()
            critic_loss = -gap + LAMBDA_GP * gradient_penalty(real, fake)
            opt_c.zero_grad()
            critic_loss.backward()
            opt_c.step()

        fake = generator(torch.randn(BATCH, Z))
        generator_loss = -critic(fake).mean()
        opt_g.zero_grad()
        generator_loss.backward()
        opt_g.step()
        history.append(gap.item())
print(d)
