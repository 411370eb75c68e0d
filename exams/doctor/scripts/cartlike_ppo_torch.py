import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Normal

torch.manual_seed(0)
N, H = 32, 20


class PointEnv:
    def reset(self):
        self.x = torch.rand(N, 1) * 4 - 2
        self.v = torch.zeros(N, 1)
        return torch.cat([self.x, self.v], 1)

    def step(self, a):
        self.v = 0.8 * self.v + 0.3 * a.clamp(-1, 1)
        self.x = self.x + self.v
        return torch.cat([self.x, self.v], 1), -(self.x.abs() + 0.1 * a.abs()).squeeze(1)


actor = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 1))
log_std = nn.Parameter(torch.zeros(1))
critic = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 1))
opt = torch.optim.Adam([{"params": [*actor.parameters(), log_std], "lr": 3e-3},
                        {"params": critic.parameters(), "lr": 1e-2}])
env, gamma, lam = PointEnv(), 0.95, 0.9

for it in range(1, 41):
    s = env.reset()
    S, A, L, R, V = [], [], [], [], []
    with torch.no_grad():
        for _ in range(H):
            pi = Normal(actor(s), log_std.exp())
            a = pi.sample()
            S.append(s); A.append(a); L.append(pi.log_prob(a).squeeze(1)); V.append(critic(s).squeeze(1))
            s, r = env.step(a)
            R.append(r)
        V.append(critic(s).squeeze(1))
        adv, g = [None] * H, torch.zeros(N)
        for t in reversed(range(H)):
            g = R[t] + gamma * V[t + 1] - V[t] + gamma * lam * g
            adv[t] = g
        adv = torch.stack(adv).flatten()
        ret = adv + torch.stack(V[:-1]).flatten()
        adv = (adv - adv.mean()) / adv.std()
    S, A, L = torch.cat(S), torch.cat(A), torch.cat(L)
    for _ in range(5):
        pi = Normal(actor(S), log_std.exp())
        logp = pi.log_prob(A).squeeze(1)
        if (L - logp).mean() > 0.03:
            break
        ratio = (logp - L).exp()
        pg = -torch.min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
        vf = (critic(S).squeeze(1) - ret).pow(2).mean()
        loss = pg + 0.5 * vf - 1e-3 * pi.entropy().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if it % 8 == 0 or it == 1:
        print(f"iter {it} return {torch.stack(R).sum(0).mean().item():.2f} vf {vf.item():.3f} std {log_std.exp().item():.2f}")
