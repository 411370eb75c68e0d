"""Soft actor critic on a point mass: two critics, Polyak targets, learned entropy coefficient."""
import copy
import torch
from torch import nn
from torch.nn import functional as F
import parity

torch.manual_seed(2)
torch.set_num_threads(1)
UPDATES = 20


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, o))


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp(2, 2)

    def forward(self, s):
        mean, log_std = self.body(s).chunk(2, -1)
        normal = torch.distributions.Normal(mean, log_std.clamp(-5, 2).exp())
        u = normal.rsample()
        a = torch.tanh(u)
        return a, (normal.log_prob(u) - torch.log(1 - a ** 2 + 1e-6)).sum(-1, keepdim=True)


def env_step(s, a):
    v = 0.9 * s[:, 1:] + 0.3 * a
    s2 = torch.cat([s[:, :1] + 0.3 * v, v], 1).clamp(-3, 3)
    return s2, -(s2[:, :1] ** 2) - 0.05 * a ** 2


actor, q1, q2 = Actor(), mlp(3, 1), mlp(3, 1)
t1, t2 = copy.deepcopy(q1).requires_grad_(False), copy.deepcopy(q2).requires_grad_(False)
log_alpha = torch.zeros(1, requires_grad=True)
actor_opt = torch.optim.Adam(actor.parameters(), 1e-3)
critic_opt = torch.optim.Adam([*q1.parameters(), *q2.parameters()], 1e-3)
alpha_opt = torch.optim.Adam([log_alpha], 3e-3)
state, memory, losses = torch.randn(16, 2), [], []

with parity.doctor({"actor": actor, "q1": q1, "q2": q2, "t1": t1, "t2": t2},
                   {"actor": actor_opt, "critic": critic_opt, "alpha": alpha_opt},
                   expect=["frozen-network:t1", "frozen-network:t2"]) as d:
    for update in range(UPDATES):
        d.mark()
        with torch.no_grad():
            action, _ = actor(state)
        after, reward = env_step(state, action)
        memory.append((state, action, reward, after))
        state = torch.where(torch.rand(16, 1) < 0.05, torch.randn(16, 2), after)
        losses.append(-reward.mean().item())
        s, a, r, s2 = map(torch.cat, zip(*[memory[i] for i in torch.randint(len(memory), (8,))]))
        alpha = log_alpha.exp().detach()
        with torch.no_grad():
            a2, logp2 = actor(s2)
            inp = torch.cat([s2, a2], 1)
            y = r + 0.95 * (torch.min(t1(inp), t2(inp)) - alpha * logp2)
        inp = torch.cat([s, a], 1)
        critic_loss = F.mse_loss(q1(inp), y) + F.mse_loss(q2(inp), y)
        critic_opt.zero_grad()
        critic_loss.backward()
        critic_opt.step()
        a_new, logp = actor(s)
        inp = torch.cat([s, a_new], 1)
        actor_loss = (alpha * logp - torch.min(q1(inp), q2(inp))).mean()
        actor_opt.zero_grad()
        actor_loss.backward()
        actor_opt.step()
        alpha_loss = -(log_alpha * (logp.detach() - 1.0)).mean()
        alpha_opt.zero_grad()
        alpha_loss.backward()
        alpha_opt.step()
        with torch.no_grad():
            for net, target in ((q1, t1), (q2, t2)):
                for p, tp in zip(net.parameters(), target.parameters()):
                    tp.lerp_(p, 0.01)
print(d)
