import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
K, D = 16, 4
basis = torch.randn(12, 20)


def batch(n):
    return basis[torch.randint(0, 12, (n,))] + 0.15 * torch.randn(n, 20)


class VQ(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, D))
        self.code = nn.Parameter(torch.randn(K, D))
        self.dec = nn.Sequential(nn.Linear(D, 48), nn.ReLU(), nn.Linear(48, 20))
        self.register_buffer("use", torch.zeros(K))

    def forward(self, x):
        z = self.enc(x)
        idx = torch.cdist(z, self.code).argmin(1)
        q = self.code[idx]
        self.use += torch.bincount(idx, minlength=K)
        extra = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return self.dec(z + (q - z).detach()), extra, z

    @torch.no_grad()
    def reseed(self, z):
        dead = torch.where(self.use < 5)[0]
        if len(dead):
            self.code[dead] = z[torch.randint(0, len(z), (len(dead),))]
        self.use.zero_()
        return len(dead)


model = VQ()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
val = batch(300)
for it in range(1, 601):
    x = batch(64)
    rec, extra, z = model(x)
    loss = F.mse_loss(rec, x) + extra
    opt.zero_grad()
    loss.backward()
    opt.step()
    dead = model.reseed(z) if it % 50 == 0 and it <= 400 else 0
    if it % 100 == 0 or it == 1:
        with torch.no_grad():
            v = F.mse_loss(model(val)[0], val).item()
        print(f"it {it} loss {loss.item():.3f} val rec {v:.3f} re-seeded {dead}")
