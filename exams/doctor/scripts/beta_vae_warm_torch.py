import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
mix = rng.randn(4, 24)


def data(n):
    return torch.tensor(rng.randn(n, 4) @ mix + 0.3 * rng.randn(n, 24), dtype=torch.float32)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(24, 64), nn.GELU(), nn.Linear(64, 16))
        self.dec = nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 24))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=1)
        logvar = logvar.clamp(-8, 4)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


model = VAE()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
x, xv = data(1200), data(300)
epochs, warm = 20, 12
for epoch in range(epochs):
    beta = min(1.0, epoch / warm)
    for xb in x[torch.randperm(len(x))].split(60):
        rec, mu, logvar = model(xb)
        nll = F.mse_loss(rec, xb, reduction="sum") / len(xb) / (2 * 0.09)
        kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1).mean()
        loss = nll + beta * kl
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 0 or epoch == epochs - 1:
        with torch.no_grad():
            rec, mu, logvar = model(xv)
            r = F.mse_loss(rec, xv).item()
        print(f"epoch {epoch} beta {beta:.2f} loss {loss.item():.2f} kl {kl.item():.2f} val mse {r:.3f}")
