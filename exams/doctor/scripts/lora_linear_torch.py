import math
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class LoRALinear(nn.Module):
    def __init__(self, base, rank=4, alpha=8):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad_(False)
        self.A = nn.Parameter(torch.zeros(rank, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        nn.init.zeros_(self.B)

    def forward(self, x):
        return self.base(x) + (x @ self.A.t() @ self.B.t()) * self.scale


net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
X = torch.randn(1000, 20)
M = torch.randn(20, 4)
y_old = (X @ M).argmax(1)
y_new = (X @ M[:, [2, 3, 0, 1]]).argmax(1)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for _ in range(100):
    loss = F.cross_entropy(net(X), y_old)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(f"base model loss {loss.item():.3f}")

for i in (0, 2, 4):
    net[i] = LoRALinear(net[i])
trainable = [p for p in net.parameters() if p.requires_grad]
print("trainable", sum(p.numel() for p in trainable))
opt = torch.optim.AdamW(trainable, lr=1e-2, weight_decay=0.0)
for step in range(1, 201):
    idx = torch.randint(0, 1000, (128,))
    loss = F.cross_entropy(net(X[idx]), y_new[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        with torch.no_grad():
            acc = (net(X).argmax(1) == y_new).float().mean().item()
        print(f"step {step} loss {loss.item():.3f} acc {acc:.3f}")
