import math
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

warnings.filterwarnings("ignore")
torch.manual_seed(3)


class LoRALinear(nn.Module):
    def __init__(self, base, r=4, alpha=8):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad = False
        self.A = nn.Parameter(torch.randn(r, base.in_features) / math.sqrt(base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))
        self.scale = alpha / r

    def forward(self, x):
        return self.base(x) + self.scale * F.linear(F.linear(x, self.A), self.B)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.ln = nn.LayerNorm(d)
        self.fc1 = nn.Linear(d, 2 * d)
        self.fc2 = nn.Linear(2 * d, d)

    def forward(self, x):
        return x + self.fc2(F.gelu(self.fc1(self.ln(x))))


class Net(nn.Module):
    def __init__(self, vocab=50, d=32, n_out=2):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.blocks = nn.ModuleList([Block(d) for _ in range(3)])
        self.head = nn.Linear(d, n_out)

    def forward(self, ids):
        h = self.emb(ids).mean(1)
        for blk in self.blocks:
            h = checkpoint(blk, h, use_reentrant=False)
        return self.head(h)


model = Net()
for p in model.parameters():
    p.requires_grad = False
for blk in model.blocks:
    blk.fc1 = LoRALinear(blk.fc1)
    blk.fc2 = LoRALinear(blk.fc2)
for p in model.head.parameters():
    p.requires_grad = True

ids = torch.randint(0, 50, (512, 4))
y = (ids < 25).sum(1) % 2
params = [p for p in model.parameters() if p.requires_grad]
opt = torch.optim.AdamW(params, lr=1e-2)
print("trainable:", sum(p.numel() for p in params))
for step in range(160):
    idx = torch.randint(0, 512, (128,))
    loss = F.cross_entropy(model(ids[idx]), y[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(f"{step} loss {loss.item():.4f}")
with torch.no_grad():
    print("acc", (model(ids).argmax(1) == y).float().mean().item())
