import copy

import torch
import torch.nn as nn

torch.manual_seed(0)


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1), nn.Tanh())

    def forward(self, s):
        return self.net(s)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, s, a):
        return self.net(torch.cat([s, a], 1))


def env_step(s, a):
    temp = s[:, :1] * 0.9 + 0.5 * a
    r = -(temp - s[:, 1:]).abs()
    return torch.cat([temp, s[:, 1:]], 1), r


def reset(n):
    return torch.cat([torch.randn(n, 1), torch.rand(n, 1) * 2 - 1], 1)


actor, critic = Actor(), Critic()
actor_t, critic_t = copy.deepcopy(actor), copy.deepcopy(critic)
opt_a = torch.optim.Adam(actor.parameters(), lr=1e-3)
opt_c = torch.optim.Adam(critic.parameters(), lr=3e-3)
gamma, tau = 0.9, 0.02
buf_s, buf_a, buf_r, buf_n = [], [], [], []
s = reset(32)
for step in range(200):
    if step % 15 == 0:
        s = reset(32)
    with torch.no_grad():
        a = (actor(s) + 0.4 * torch.randn(32, 1)).clamp(-1, 1)
    s2, r = env_step(s, a)
    buf_s.append(s), buf_a.append(a), buf_r.append(r), buf_n.append(s2)
    s = s2
    bs, ba, br, bn = (torch.cat(b[-100:]) for b in (buf_s, buf_a, buf_r, buf_n))
    i = torch.randint(0, len(bs), (128,))
    bs, ba, br, bn = bs[i], ba[i], br[i], bn[i]
    with torch.no_grad():
        y = br + gamma * critic_t(bn, actor_t(bn))
    loss_c = nn.functional.mse_loss(critic(bs, ba), y)
    opt_c.zero_grad()
    loss_c.backward()
    opt_c.step()
    loss_a = -critic(bs, actor(bs)).mean()
    opt_a.zero_grad()
    loss_a.backward()
    opt_a.step()
    with torch.no_grad():
        for net, tgt in ((actor, actor_t), (critic, critic_t)):
            for p, tp in zip(net.parameters(), tgt.parameters()):
                tp.mul_(1 - tau).add_(tau * p)
    if step % 20 == 0:
        print(f"step {step} critic {loss_c.item():.4f} actor {loss_a.item():.4f} reward {r.mean().item():.3f}")

with torch.no_grad():
    s, total = reset(500), 0.0
    for _ in range(15):
        s, r = env_step(s, actor(s))
        total += r.mean().item()
print("evaluation return", total)
