import torch
import torch.nn as nn
from torch.distributions import Normal

torch.manual_seed(0)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.pi = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
        self.v = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
        self.log_std = nn.Parameter(torch.zeros(1))

    def dist(self, s):
        return Normal(self.pi(s), self.log_std.exp())


agent = Agent()
opt = torch.optim.Adam(agent.parameters(), lr=5e-3, eps=1e-5)
for it in range(25):
    s = torch.rand(256, 3) * 2 - 1
    with torch.no_grad():
        d = agent.dist(s)
        a = d.sample()
        logp_old = d.log_prob(a).sum(1)
        v_old = agent.v(s).squeeze(1)
    r = -(a.squeeze(1) - (s[:, 0] * 2 - s[:, 1])).abs()
    adv = r - v_old
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    for epoch in range(3):
        for mb in torch.randperm(256).split(128):
            d = agent.dist(s[mb])
            ratio = (d.log_prob(a[mb]).sum(1) - logp_old[mb]).exp()
            pg = -torch.min(ratio * adv[mb], ratio.clamp(0.8, 1.2) * adv[mb]).mean()
            v_loss = 0.5 * (agent.v(s[mb]).squeeze(1) - r[mb]).pow(2).mean()
            loss = pg + 0.5 * v_loss - 0.001 * d.entropy().mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            opt.step()
    if it % 3 == 0:
        print(f"iter {it} loss {loss.item():.4f} reward {r.mean().item():.4f} std {agent.log_std.exp().item():.3f}")
