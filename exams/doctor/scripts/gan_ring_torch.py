import math

import torch
from torch import nn

torch.manual_seed(1)
latent_dim = 4


def sample_real(n):
    theta = torch.rand(n) * 2 * math.pi
    pts = torch.stack([2 * torch.cos(theta), 2 * torch.sin(theta)], 1)
    return pts + 0.05 * torch.randn(n, 2)


generator = nn.Sequential(nn.Linear(latent_dim, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))
discriminator = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

for it in range(1500):
    real = sample_real(128)
    valid = torch.ones(128, 1)
    fake_label = torch.zeros(128, 1)
    z = torch.randn(128, latent_dim)
    fake = generator(z)

    optimizer_D.zero_grad()
    real_loss = criterion(discriminator(real), valid)
    fake_loss = criterion(discriminator(fake.detach()), fake_label)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()

    optimizer_G.zero_grad()
    g_loss = criterion(discriminator(fake), valid)
    g_loss.backward()
    optimizer_G.step()
    if it % 300 == 299:
        print(f"[{it + 1}] D {d_loss.item():.3f} G {g_loss.item():.3f}")

with torch.no_grad():
    r = generator(torch.randn(2000, latent_dim)).norm(dim=1)
print("mean distance from ring:", round((r - 2).abs().mean().item(), 3))
