import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class VAE(nn.Module):
    def __init__(self): super().__init__(); self.e, self.d = nn.Linear(30, 8), nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 30), nn.Sigmoid())
    def forward(self, x): mu, lv = self.e(x).chunk(2, 1); return self.d(mu + (0.5 * lv).exp() * torch.randn_like(mu)), mu, lv
m = VAE(); opt = torch.optim.Adam(m.parameters(), 3e-3); protos = (torch.rand(8, 30) > 0.5).float()
for it in range(150):
    x = protos[torch.randint(0, 8, (64,))]; x = (x + (torch.rand_like(x) < 0.05)) % 2
    r, mu, lv = m(x); bce = F.binary_cross_entropy(r, x, reduction="sum") / 64; kl = -0.5 * (1 + lv - mu.pow(2) - lv.exp()).sum() / 64
    beta = max(0.0, min(1.0, (it - 40) / 80)); loss = bce + beta * kl
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, beta, bce.item(), kl.item())
