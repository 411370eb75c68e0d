import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

random.seed(0)
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, d, p):
        super().__init__()
        self.norm, self.a, self.b, self.p = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d), p

    def forward(self, x):
        return self.b(F.gelu(self.a(self.norm(x))))


class Net(nn.Module):
    def __init__(self, d=32, depth=6):
        super().__init__()
        self.stem, self.head = nn.Linear(12, d), nn.Linear(d, 3)
        self.blocks = nn.ModuleList([Block(d, 0.3 * i / depth) for i in range(depth)])

    def forward(self, x):
        h = self.stem(x)
        for blk in self.blocks:
            if self.training and random.random() < blk.p:
                continue
            r = checkpoint(blk, h, use_reentrant=False) if self.training else blk(h)
            h = h + (r / (1 - blk.p) if self.training else r)
        return self.head(h)


x = torch.randn(900, 12)
y = (x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 0.5).long()
net = Net()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=6e-3, total_steps=120)
for step in range(120):
    net.train()
    i = torch.randint(0, 900, (96,))
    loss = F.cross_entropy(net(x[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 12 == 0:
        print(f"step {step} loss {loss.item():.4f}")
net.eval()
print("acc", (net(x).argmax(1) == y).float().mean().item())
