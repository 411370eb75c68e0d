import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal

torch.manual_seed(0)
actor = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
q1, q2 = [nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 1)) for _ in range(2)]
t1, t2 = copy.deepcopy(q1).requires_grad_(False), copy.deepcopy(q2).requires_grad_(False)
log_alpha = torch.zeros(1, requires_grad=True)
oa = torch.optim.Adam(actor.parameters(), lr=3e-3)
oq = torch.optim.Adam([*q1.parameters(), *q2.parameters()], lr=5e-3)
ot = torch.optim.Adam([log_alpha], lr=1e-2)
gamma, tau, target_entropy = 0.8, 0.05, -1.0


def act(s):
    mu, ls = actor(s).chunk(2, 1)
    d = Normal(mu, ls.clamp(-4, 1).exp())
    u = d.rsample()
    a = torch.tanh(u)
    return a, (d.log_prob(u) - torch.log(1 - a ** 2 + 1e-6)).sum(1, keepdim=True)


s = torch.rand(64, 2) * 2 - 1
mem = []
for step in range(150):
    with torch.no_grad():
        a, _ = act(s)
    r = 1 - (a - s.mean(1, keepdim=True)).abs()
    s2 = torch.rand(64, 2) * 2 - 1
    mem = (mem + [(s, a, r, s2)])[-20:]
    s = s2
    bs, ba, br, bn = (torch.cat(t) for t in zip(*mem))
    i = torch.randint(0, len(bs), (64,))
    bs, ba, br, bn = bs[i], ba[i], br[i], bn[i]
    with torch.no_grad():
        an, lpn = act(bn)
        xn = torch.cat([bn, an], 1)
        y = br + gamma * (torch.min(t1(xn), t2(xn)) - log_alpha.exp() * lpn)
    x = torch.cat([bs, ba], 1)
    lq = F.mse_loss(q1(x), y) + F.mse_loss(q2(x), y)
    oq.zero_grad()
    lq.backward()
    oq.step()
    a, lp = act(bs)
    x = torch.cat([bs, a], 1)
    la = (log_alpha.exp().detach() * lp - torch.min(q1(x), q2(x))).mean()
    oa.zero_grad()
    la.backward()
    oa.step()
    lt = -(log_alpha * (lp.detach() + target_entropy)).mean()
    ot.zero_grad()
    lt.backward()
    ot.step()
    for q, t in ((q1, t1), (q2, t2)):
        for p, pt in zip(q.parameters(), t.parameters()):
            pt.data.lerp_(p.data, tau)
    if step % 15 == 0:
        print(f"step {step} q loss {lq.item():.4f} actor {la.item():.4f} alpha {log_alpha.exp().item():.3f} reward {r.mean().item():.3f}")
