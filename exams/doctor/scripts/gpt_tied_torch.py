import math, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
text = "the quick brown fox jumps over the lazy dog and runs away from the sleepy cat " * 20
chars = sorted(set(text)); data = torch.tensor([chars.index(c) for c in text]); V, T, D = len(chars), 16, 32
class Block(nn.Module):
    def __init__(self): super().__init__(); self.n1, self.n2, self.qkv, self.o, self.m = nn.LayerNorm(D), nn.LayerNorm(D), nn.Linear(D, 3 * D, bias=False), nn.Linear(D, D, bias=False), nn.Sequential(nn.Linear(D, 4 * D), nn.GELU(), nn.Linear(4 * D, D))
    def forward(self, x):
        B, L, _ = x.shape; q, k, v = (z.view(B, L, 4, 8).transpose(1, 2) for z in self.qkv(self.n1(x)).split(D, 2))
        x = x + self.o(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, L, D)); return x + self.m(self.n2(x))
class GPT(nn.Module):
    def __init__(self): super().__init__(); self.wte, self.wpe, self.h, self.ln, self.head = nn.Embedding(V, D), nn.Embedding(T, D), nn.ModuleList([Block(), Block()]), nn.LayerNorm(D), nn.Linear(D, V, bias=False); self.head.weight = self.wte.weight; nn.init.normal_(self.wte.weight, std=0.02)
    def forward(self, i, y):
        x = self.wte(i) + self.wpe(torch.arange(i.shape[1]))
        for b in self.h: x = b(x)
        lo = self.head(self.ln(x)); return F.cross_entropy(lo.view(-1, V), y.view(-1), ignore_index=-1)
m = GPT(); decay = [p for p in m.parameters() if p.dim() > 1]; rest = [p for p in m.parameters() if p.dim() < 2]
opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=3e-3, betas=(0.9, 0.95))
for it in range(60):
    lr = 3e-3 * (it + 1) / 10 if it < 10 else 3e-4 + 0.5 * 2.7e-3 * (1 + math.cos(math.pi * (it - 10) / 50))
    for g in opt.param_groups: g["lr"] = lr
    for micro in range(2):
        ix = torch.randint(0, len(data) - T - 1, (12,)); loss = m(torch.stack([data[i:i+T] for i in ix]), torch.stack([data[i+1:i+T+1] for i in ix])) / 2; loss.backward()
    nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step(); opt.zero_grad(set_to_none=True)
    if it % 15 == 0: print(it, lr, loss.item() * 2)
