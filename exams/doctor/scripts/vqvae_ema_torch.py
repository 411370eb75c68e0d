import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
protos = torch.randn(16, 30)


class VQ(nn.Module):
    def __init__(self, n=24, d=6, decay=0.9):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(30, 48), nn.ReLU(), nn.Linear(48, d))
        self.dec = nn.Sequential(nn.Linear(d, 48), nn.ReLU(), nn.Linear(48, 30))
        self.register_buffer("codes", torch.randn(n, d) * 0.3)
        self.register_buffer("count", torch.ones(n))
        self.register_buffer("total", self.codes.clone())
        self.decay = decay

    def forward(self, x):
        z = self.enc(x)
        idx = torch.cdist(z, self.codes).argmin(1)
        q = self.codes[idx]
        if self.training:
            with torch.no_grad():
                hot = F.one_hot(idx, len(self.codes)).float()
                self.count.mul_(self.decay).add_(hot.sum(0), alpha=1 - self.decay)
                self.total.mul_(self.decay).add_(hot.t() @ z, alpha=1 - self.decay)
                self.codes.copy_(self.total / (self.count.unsqueeze(1) + 1e-5))
        commit = F.mse_loss(z, q.detach())
        return self.dec(z + (q - z).detach()), commit


net = VQ()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(200):
    x = protos[torch.randint(0, 16, (96,))] + 0.1 * torch.randn(96, 30)
    out, commit = net(x)
    rec = F.mse_loss(out, x)
    opt.zero_grad()
    (rec + 0.25 * commit).backward()
    opt.step()
    if step % 20 == 0:
        print(f"step {step} rec loss {rec.item():.4f} commit {commit.item():.4f}")
