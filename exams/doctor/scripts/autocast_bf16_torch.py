import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.checkpoint import checkpoint
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self): super().__init__(); self.a, self.bs, self.c = nn.Linear(12, 48), nn.ModuleList([nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 48), nn.GELU()) for _ in range(3)]), nn.Linear(48, 4)
    def forward(self, x):
        h = self.a(x)
        for b in self.bs: h = h + checkpoint(b, h, use_reentrant=False)
        return self.c(h)
m = Net(); opt = torch.optim.AdamW(m.parameters(), 1e-3); w = torch.randn(12, 4)
for it in range(100):
    x = torch.randn(64, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16): loss = F.cross_entropy(m(x), (x @ w).argmax(1))
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 25 == 0: print(it, loss.item())
