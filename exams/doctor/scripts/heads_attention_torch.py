import math
import torch
from torch import nn

torch.manual_seed(0)
T, V = 10, 12


def repeated(ids):
    """1 where a token stands elsewhere in its row too."""
    return ((ids[:, :, None] == ids[:, None]).sum(-1) > 1).long()


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        B, L, D = x.shape
        q, k, v = self.qkv(x).view(B, L, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        att = (q @ k.transpose(-2, -1)) / math.sqrt(D // self.heads)
        out = att.softmax(-1) @ v
        return self.proj(out.transpose(1, 2).reshape(B, L, D))


class Doubles(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.tok = nn.Embedding(V, dim)
        self.pos = nn.Parameter(torch.randn(T, dim))
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.att = Attention(dim, 4)
        self.mlp = nn.Sequential(nn.Linear(dim, 64), nn.GELU(), nn.Linear(64, dim))
        self.out = nn.Linear(dim, 2)

    def forward(self, ids):
        x = self.tok(ids) + self.pos
        x = x + self.att(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return self.out(x)


net = Doubles()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
for step in range(400):
    ids = torch.randint(0, V, (64, T))
    loss = nn.functional.cross_entropy(net(ids).flatten(0, 1), repeated(ids).flatten())
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, loss.item())
ids = torch.randint(0, V, (200, T))
print("final loss", loss.item(), "accuracy", (net(ids).argmax(-1) == repeated(ids)).float().mean().item())
