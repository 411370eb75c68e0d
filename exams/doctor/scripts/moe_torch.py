import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class MoE(nn.Module):
    def __init__(self): super().__init__(); self.gate, self.experts = nn.Linear(8, 6), nn.ModuleList([nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)) for _ in range(6)])
    def forward(self, x):
        p = self.gate(x).softmax(1); w, i = p.max(1); y = torch.zeros_like(x)
        for k, e in enumerate(self.experts):
            m = i == k
            if m.any(): y[m] = w[m, None] * e(x[m])
        return y, 6 * (p.mean(0) * F.one_hot(i, 6).float().mean(0)).sum()
moe, out = MoE(), nn.Linear(8, 2); opt = torch.optim.Adam([*moe.parameters(), *out.parameters()], 5e-3)
for it in range(120):
    x = torch.randn(16, 8); y = ((x[:, 0] * x[:, 1]) > 0).long(); h, aux = moe(x); loss = F.cross_entropy(out(x + h), y) + 0.01 * aux; opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, loss.item())
