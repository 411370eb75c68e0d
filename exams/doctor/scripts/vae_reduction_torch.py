import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
basis = torch.randn(3, 30)


def data(n):
    return torch.sigmoid(torch.randn(n, 3) @ basis)


class VAE(nn.Module):
    def __init__(self, z=6):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(30, 64), nn.ReLU())
        self.mu, self.logvar = nn.Linear(64, z), nn.Linear(64, z)
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, 30))

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + std * torch.randn_like(std)

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        return self.dec(self.reparameterize(mu, logvar)), mu, logvar


def elbo(x, logits, mu, logvar):
    rec = F.mse_loss(torch.sigmoid(logits), x, reduction="none").sum(1) / (2 * 0.1 ** 2)
    kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1)
    return (rec + kl).mean(), rec.mean(), kl.mean()


model = VAE()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(700):
    x = data(128)
    loss, rec, kl = elbo(x, *model(x))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.3f} rec {rec.item():.3f} kl {kl.item():.3f}")
x = data(2000)
print("mse of reconstruction", F.mse_loss(torch.sigmoid(model(x)[0]), x).item(), "kl", kl.item())
