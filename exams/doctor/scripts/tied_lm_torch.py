import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
V, T, D = 20, 16, 32
P = torch.softmax(2.5 * torch.randn(V, V), 1)


def sample(n):
    s = [torch.randint(0, V, (n,))]
    for _ in range(T):
        s.append(torch.multinomial(P[s[-1]], 1).squeeze(1))
    return torch.stack(s, 1)


class LM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        nn.init.normal_(self.emb.weight, std=D ** -0.5)
        self.pos = nn.Parameter(torch.zeros(T, D))
        self.block = nn.TransformerEncoderLayer(D, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(D)
        self.head = nn.Linear(D, V, bias=False)
        self.head.weight = self.emb.weight
        self.register_buffer("mask", torch.full((T, T), float("-inf")).triu(1))

    def forward(self, x):
        h = self.emb(x) * math.sqrt(D) + self.pos
        return self.head(self.norm(self.block(h, src_mask=self.mask)))


model = LM()
decay = [p for p in model.parameters() if p.dim() >= 2]
no_decay = [p for p in model.parameters() if p.dim() < 2]
opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": no_decay, "weight_decay": 0.0}], lr=4e-3)
warm = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 20))
for step in range(150):
    s = sample(48)
    loss = F.cross_entropy(model(s[:, :-1]).reshape(-1, V), s[:, 1:].reshape(-1))
    opt.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    warm.step()
    if step % 15 == 0:
        print(f"step {step} loss {loss.item():.4f} ppl {loss.exp().item():.2f}")
print("entropy of the source", -(P * P.log()).sum(1).mean().item())
