import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(600, 10)
w1, w2 = torch.randn(10, 1), torch.randn(10, 3)
depth = torch.tanh(x @ w1) * 3 + 5
seg = (x @ w2).argmax(1)


class MTL(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.depth, self.seg = nn.Linear(64, 1), nn.Linear(64, 3)
        self.log_vars = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        h = self.trunk(x)
        return self.depth(h), self.seg(h)


model = MTL()
opt = torch.optim.SGD([
    {"params": [p for n, p in model.named_parameters() if n != "log_vars"], "lr": 0.02},
    {"params": [model.log_vars], "lr": 0.2},
], lr=0.02, momentum=0.9)
for step in range(150):
    i = torch.randint(0, 600, (64,))
    d, s = model(x[i])
    losses = torch.stack([F.mse_loss(d, depth[i]), F.cross_entropy(s, seg[i])])
    total = (torch.exp(-model.log_vars) * losses + model.log_vars).sum()
    opt.zero_grad()
    total.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    opt.step()
    if step % 15 == 0:
        print(f"{step} total {total.item():.4f}")
with torch.no_grad():
    d, s = model(x)
    print("depth mse", F.mse_loss(d, depth).item(), "seg acc", (s.argmax(1) == seg).float().mean().item())
    print("log_vars", model.log_vars.tolist())
