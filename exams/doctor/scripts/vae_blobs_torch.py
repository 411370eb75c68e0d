import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def blobs(n, size=12):
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    cx, cy = torch.rand(n, 1, 1) * 8 + 2, torch.rand(n, 1, 1) * 8 + 2
    return torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / 4.0).view(n, -1)


class VAE(nn.Module):
    def __init__(self, d=144, z=4):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, 128), nn.ReLU())
        self.mu, self.logvar = nn.Linear(128, z), nn.Linear(128, z)
        self.dec = nn.Sequential(nn.Linear(z, 128), nn.ReLU(), nn.Linear(128, d), nn.Sigmoid())

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.dec(z), mu, logvar


def vae_loss(recon, x, mu, logvar):
    rec = F.binary_cross_entropy(recon, x, reduction="sum") / x.size(0)
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / x.size(0)
    return rec + kld, rec, kld


model = VAE()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(200):
    x = blobs(128)
    recon, mu, logvar = model(x)
    loss, rec, kld = vae_loss(recon, x, mu, logvar)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(f"{step} loss {loss.item():.4f} rec {rec.item():.4f} kld {kld.item():.5f}")
with torch.no_grad():
    x = blobs(500)
    recon, mu, _ = model(x)
    print("pixel mse", F.mse_loss(recon, x).item(), "var of mean image", x.var(0).mean().item())
    print("std of mu over data", mu.std(0).tolist())
