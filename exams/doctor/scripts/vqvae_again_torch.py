import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)
K, D = 16, 4
protos = torch.rand(12, 36)
data = protos[torch.randint(0, 12, (2000,))] + 0.05 * torch.randn(2000, 36)


class VQ(nn.Module):
    def __init__(self):
        super().__init__()
        self.codebook = nn.Embedding(K, D)
        nn.init.uniform_(self.codebook.weight, -0.5, 0.5)

    def forward(self, z):
        dist = torch.cdist(z, self.codebook.weight)
        idx = dist.argmin(1)
        q = self.codebook(idx)
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss, idx


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(36, 64), nn.ReLU(), nn.Linear(64, 2 * D))
        self.vq = VQ()
        self.dec = nn.Sequential(nn.Linear(2 * D, 64), nn.ReLU(), nn.Linear(64, 36))

    def forward(self, x):
        z = self.enc(x).view(-1, D)
        q, loss, idx = self.vq(z)
        return self.dec(q.view(-1, 2 * D)), loss, idx


m = Model()
opt = torch.optim.Adam(m.parameters(), 2e-3)
for step in range(800):
    x = data[torch.randint(0, 2000, (128,))]
    rec, vq_loss, idx = m(x)
    rec_loss = F.mse_loss(rec, x)
    opt.zero_grad()
    (rec_loss * 10 + vq_loss).backward()
    opt.step()
    if step % 160 == 0 or step == 799:
        print("step", step, "codes used", len(idx.unique()), "rec", round(rec_loss.item(), 5))
