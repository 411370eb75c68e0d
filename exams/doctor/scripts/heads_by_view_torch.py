import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V, L = 12, 10

class Attention(nn.Module):
    def __init__(self, d=32, heads=4):
        super().__init__(); self.h = heads; self.qkv = nn.Linear(d, 3 * d); self.out = nn.Linear(d, d)
    def split(self, x):
        B, L, D = x.shape
        return x.reshape(B, L, self.h, D // self.h).transpose(1, 2)
    def forward(self, x):
        B, L, D = x.shape
        q, k, v = (self.split(t) for t in self.qkv(x).chunk(3, -1))
        mask = torch.ones(L, L, dtype=torch.bool).tril()
        w = (q @ k.transpose(-1, -2) / (D // self.h) ** 0.5).masked_fill(~mask, float("-inf")).softmax(-1)
        y = w @ v
        y = y.transpose(1, 2).reshape(B, L, D)
        return self.out(y)

class Model(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.emb, self.pos = nn.Embedding(V, d), nn.Parameter(0.02 * torch.randn(L, d))
        self.a1, self.n1, self.a2, self.n2 = Attention(), nn.LayerNorm(d), Attention(), nn.LayerNorm(d)
        self.head = nn.Linear(d, V)
    def forward(self, x):
        h = self.emb(x) + self.pos
        h = h + self.a1(self.n1(h)); h = h + self.a2(self.n2(h))
        return self.head(h)

def batch(n=64):
    start = torch.randint(0, V, (n, 1)); step = torch.randint(1, 5, (n, 1))
    return (start + step * torch.arange(L + 1)) % V

model = Model(); opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for it in range(200):
    s = batch(); logits = model(s[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), s[:, 1:].flatten())
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
s = batch(256)
with torch.no_grad():                                          # decode step by step, as in use
    ok = []
    for t in range(3, L):
        x = torch.zeros(256, L, dtype=torch.long); x[:, :t] = s[:, :t]
        ok.append((model(x)[:, t - 1].argmax(-1) == s[:, t]).float().mean())
print("metric:", torch.stack(ok).mean().item())
