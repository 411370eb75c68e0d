import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
V, D = 300, 16
topic = torch.arange(V) % 10
members = [torch.where(topic == k)[0] for k in range(10)]


def pairs(n):
    k = torch.randint(0, 10, (n,))
    pick = lambda: torch.stack([members[i][torch.randint(0, 30, (1,)).item()] for i in k.tolist()])
    return pick(), pick(), torch.randint(0, V, (n, 5))


class SGNS(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Embedding(V, D, sparse=True)
        self.out = nn.Embedding(V, D, sparse=True)
        nn.init.uniform_(self.inp.weight, -0.5 / D, 0.5 / D)
        nn.init.zeros_(self.out.weight)
        self.log_scale = nn.Parameter(torch.zeros(1))

    def forward(self, c, pos, neg):
        v = self.inp(c) * self.log_scale.exp()
        p = F.logsigmoid((v * self.out(pos)).sum(1))
        n = F.logsigmoid(-torch.bmm(self.out(neg), v.unsqueeze(2)).squeeze(2)).sum(1)
        return -(p + n).mean()


m = SGNS()
sparse_opt = torch.optim.SparseAdam([m.inp.weight, m.out.weight], lr=0.03)
dense_opt = torch.optim.Adam([m.log_scale], lr=0.01)
for step in range(150):
    loss = m(*pairs(128))
    sparse_opt.zero_grad()
    dense_opt.zero_grad()
    loss.backward()
    sparse_opt.step()
    dense_opt.step()
    if step % 15 == 0:
        print(f"step {step} loss {loss.item():.4f}")
