import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(0)
T, V = 6, 8


class Speller(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Embedding(V + 1, 32)
        self.cond = nn.Embedding(3, 32)
        self.cell = nn.GRUCell(32, 32)
        self.out = nn.Linear(32, V)

    def forward(self, c, greedy=False):
        h = self.cond(c)
        tok = torch.full_like(c, V)
        toks, logps, ents = [], [], []
        for _ in range(T):
            h = self.cell(self.inp(tok), h)
            dist = Categorical(logits=self.out(h))
            tok = dist.probs.argmax(1) if greedy else dist.sample()
            toks.append(tok)
            logps.append(dist.log_prob(tok))
            ents.append(dist.entropy())
        return torch.stack(toks, 1), torch.stack(logps, 1), torch.stack(ents, 1)


goal = torch.randint(0, V, (3, T))


def score(toks, c):
    return (toks == goal[c]).float()


net = Speller()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for it in range(400):
    c = torch.randint(0, 3, (64,))
    toks, logp, ent = net(c)
    with torch.no_grad():
        base, _, _ = net(c, greedy=True)
        adv = score(toks, c) - score(base, c)
    loss = -(adv * logp).sum(1).mean() - 0.02 * ent.sum(1).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 80 == 79:
        print(f"iter {it + 1} loss {loss.item():+.4f} reward {score(base, c).mean().item():.3f}")
