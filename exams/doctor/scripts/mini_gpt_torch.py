import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
V, T, D = 16, 24, 48
trans = rng.dirichlet(np.ones(V) * 0.15, size=V)


def batch(n):
    seq = np.zeros((n, T + 1), dtype="int64")
    seq[:, 0] = rng.randint(0, V, n)
    for t in range(T):
        u = rng.rand(n, 1)
        seq[:, t + 1] = (trans[seq[:, t]].cumsum(1) < u).sum(1).clip(0, V - 1)
    s = torch.from_numpy(seq)
    return s[:, :-1], s[:, 1:]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(D, 3 * D)
        self.proj = nn.Linear(D, D)
        self.ff = nn.Sequential(nn.Linear(D, 96), nn.GELU(), nn.Linear(96, D))
        self.n1, self.n2 = nn.LayerNorm(D), nn.LayerNorm(D)

    def forward(self, x, mask):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, 3, 4, D // 4).permute(2, 0, 3, 1, 4)
        h = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.proj(h.transpose(1, 2).reshape(b, t, D))
        return x + self.ff(self.n2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok, self.pos = nn.Embedding(V, D), nn.Embedding(T, D)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(D, V)

    def forward(self, x):
        t = x.size(1)
        mask = torch.tril(torch.ones(t, t, dtype=torch.bool))
        h = self.tok(x) + self.pos(torch.arange(t))
        for blk in self.blocks:
            h = blk(h, mask)
        return self.head(h)


model = GPT()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in range(1, 151):
    x, y = batch(32)
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    if step % 30 == 0:
        print(f"step {step} loss {loss.item():.3f}")

model.eval()
with torch.no_grad():
    x, y = batch(300)
    last = torch.stack([F.cross_entropy(model(x[:, :t])[:, -1], y[:, t - 1]) for t in range(2, T)])
print(f"next-token loss when decoding {last.mean().item():.3f}")
