import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
protos = torch.randn(24, 40)


def batch(n):
    k = torch.randint(0, 24, (n,))
    return protos[k] * (0.8 + 0.4 * torch.rand(n, 1)) + 0.1 * torch.randn(n, 40)


class VQVAE(nn.Module):
    def __init__(self, n_codes=32, d=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, d))
        self.codebook = nn.Embedding(n_codes, d)
        self.decoder = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 40))

    def forward(self, x, beta=0.25):
        z_e = self.encoder(x)
        idx = torch.cdist(z_e, self.codebook.weight).argmin(1)
        z_q = self.codebook(idx)
        codebook_loss = F.mse_loss(z_q, z_e.detach())
        commit_loss = F.mse_loss(z_e, z_q.detach())
        z_q = z_e + (z_q - z_e).detach()
        recon = self.decoder(z_q)
        return recon, codebook_loss + beta * commit_loss, idx


model = VQVAE()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(200):
    x = batch(128)
    recon, vq, idx = model(x)
    rec = F.mse_loss(recon, x)
    loss = rec + vq
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(f"{step} rec {rec.item():.4f} vq {vq.item():.4f} codes used {idx.unique().numel()}")
x = batch(500)
with torch.no_grad():
    print("final rec", F.mse_loss(model(x)[0], x).item(), "data var", x.var(0).mean().item())
