import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
templates = (rng.rand(10, 64) > 0.6).astype("float32")


def data(n):
    lab = rng.randint(0, 10, n)
    flip = rng.rand(n, 64) < 0.03
    return torch.from_numpy(np.abs(templates[lab] - flip.astype("float32")))


class VAE(nn.Module):
    def __init__(self, latent=6):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.mu = nn.Linear(96, latent)
        self.logvar = nn.Linear(96, latent)
        self.dec = nn.Sequential(nn.Linear(latent, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.dec(z), mu, logvar


def elbo(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.size(0)
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
    return rec + kl, rec, kl


model = VAE()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
train, test = data(2000), data(400)
for epoch in range(15):
    for xb in train[torch.randperm(len(train))].split(64):
        loss, rec, kl = elbo(*((lambda o: (o[0], xb, o[1], o[2]))(model(xb))))
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 2:
        model.eval()
        with torch.no_grad():
            logits, mu, logvar = model(test)
            err = ((logits > 0).float() != test).float().mean().item()
        model.train()
        print(f"epoch {epoch + 1} loss {loss.item():.3f} kl {kl.item():.3f} pixel error {err:.3f}")
