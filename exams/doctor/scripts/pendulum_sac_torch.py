import copy
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, o))


def env_step(s, a):
    s2 = (0.9 * s + 0.5 * a).clamp(-3, 3)
    return s2, -(s2 - 1.0).pow(2).squeeze(1)


actor, q1, q2 = mlp(1, 2), mlp(2, 1), mlp(2, 1)
t1, t2 = copy.deepcopy(q1), copy.deepcopy(q2)
log_alpha = torch.zeros(1, requires_grad=True)
target_entropy = -1.0
opt_a = torch.optim.Adam(actor.parameters(), lr=3e-3)
opt_q = torch.optim.Adam([*q1.parameters(), *q2.parameters()], lr=3e-3)
opt_t = torch.optim.Adam([log_alpha], lr=1e-2)


def policy(s):
    mu, log_std = actor(s).chunk(2, -1)
    std = log_std.clamp(-4, 1).exp()
    u = mu + std * torch.randn_like(mu)
    logp = torch.distributions.Normal(mu, std).log_prob(u) - torch.log(1 - torch.tanh(u) ** 2 + 1e-6)
    return torch.tanh(u), logp.squeeze(1)


def cat(s, a):
    return torch.cat([s, a], 1)


for it in range(1, 501):
    s = torch.rand(64, 1) * 6 - 3
    with torch.no_grad():
        a, _ = policy(s)
        s2, r = env_step(s, a)
        a2, lp2 = policy(s2)
        tq = torch.min(t1(cat(s2, a2)), t2(cat(s2, a2))).squeeze(1)
        y = r + 0.9 * (tq - log_alpha.exp() * lp2)
    loss_q = F.mse_loss(q1(cat(s, a)).squeeze(1), y) + F.mse_loss(q2(cat(s, a)).squeeze(1), y)
    opt_q.zero_grad()
    loss_q.backward()
    opt_q.step()

    a, lp = policy(s)
    q = torch.min(q1(cat(s, a)), q2(cat(s, a))).squeeze(1)
    loss_a = (log_alpha.exp().detach() * lp - q).mean()
    opt_a.zero_grad()
    loss_a.backward()
    opt_a.step()

    loss_t = -(log_alpha * (lp + target_entropy).detach()).mean()
    opt_t.zero_grad()
    loss_t.backward()
    opt_t.step()
    with torch.no_grad():
        for net, tgt in ((q1, t1), (q2, t2)):
            for p, tp in zip(net.parameters(), tgt.parameters()):
                tp.mul_(0.98).add_(p, alpha=0.02)
    if it % 100 == 0:
        print(f"it {it} reward {r.mean().item():.3f} q loss {loss_q.item():.3f} alpha {log_alpha.exp().item():.3f} entropy {-lp.mean().item():.2f}")
