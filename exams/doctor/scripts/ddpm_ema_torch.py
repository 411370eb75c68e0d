import copy, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
T = 30; b = torch.linspace(1e-3, 0.25, T); ab = (1 - b).cumprod(0)
class Net(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2)); nn.init.zeros_(self.f[-1].weight); nn.init.zeros_(self.f[-1].bias)
    def forward(self, x, t): return self.f(torch.cat([x, t[:, None] / T], 1))
net = Net(); ema = copy.deepcopy(net).requires_grad_(False); opt = torch.optim.AdamW(net.parameters(), 2e-3)
@torch.no_grad()
def sample(n):
    x = torch.randn(n, 2)
    for t in reversed(range(T)):
        e = ema(x, torch.full((n,), float(t))); x = (x - b[t] / (1 - ab[t]).sqrt() * e) / (1 - b[t]).sqrt()
        if t: x = x + b[t].sqrt() * torch.randn_like(x)
    return x
for it in range(150):
    x0 = torch.randn(128, 2) * 0.1 + torch.where(torch.rand(128, 1) < 0.5, 1.0, -1.0); t = torch.randint(0, T, (128,)); n = torch.randn_like(x0)
    loss = F.mse_loss(net(ab[t, None].sqrt() * x0 + (1 - ab[t, None]).sqrt() * n, t), n)
    opt.zero_grad(set_to_none=True); loss.backward(); nn.utils.clip_grad_norm_(net.parameters(), 1.0); opt.step()
    with torch.no_grad():
        for p, e in zip(net.parameters(), ema.parameters()): e.lerp_(p, 0.05)
    if it % 50 == 49: print(it, loss.item(), sample(200).std().item())
