import copy, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
def mlp(i, o): return nn.Sequential(nn.Linear(i, 48), nn.ReLU(), nn.Linear(48, o))
pi, q1, q2 = mlp(3, 2), mlp(4, 1), mlp(4, 1); t1, t2 = copy.deepcopy(q1), copy.deepcopy(q2)
log_alpha = torch.zeros(1, requires_grad=True)
op, oq, oa = torch.optim.Adam(pi.parameters(), 1e-3), torch.optim.Adam([*q1.parameters(), *q2.parameters()], 1e-3), torch.optim.Adam([log_alpha], 1e-3)
def act(s):
    m, ls = pi(s).chunk(2, 1); d = torch.distributions.Normal(m, ls.clamp(-5, 2).exp()); u = d.rsample(); a = torch.tanh(u)
    return a, (d.log_prob(u) - 2 * (0.6931 - u - F.softplus(-2 * u))).sum(1, keepdim=True)
for it in range(150):
    s = torch.randn(64, 3)
    with torch.no_grad():
        a, _ = act(s); s2 = s + 0.1 * a; r = -(s2[:, :1] - a).pow(2); a2, lp2 = act(s2)
        y = r + 0.9 * (torch.min(t1(torch.cat([s2, a2], 1)), t2(torch.cat([s2, a2], 1))) - log_alpha.exp() * lp2)
    sa = torch.cat([s, a], 1); lq = F.mse_loss(q1(sa), y) + F.mse_loss(q2(sa), y); oq.zero_grad(); lq.backward(); oq.step()
    a, lp = act(s); sa = torch.cat([s, a], 1); lpi = (log_alpha.exp().detach() * lp - torch.min(q1(sa), q2(sa))).mean(); op.zero_grad(); lpi.backward(); op.step()
    la = -(log_alpha * (lp.detach() - 1.0)).mean(); oa.zero_grad(); la.backward(); oa.step()
    with torch.no_grad():
        for a_, b_ in ((q1, t1), (q2, t2)):
            for p, tp in zip(a_.parameters(), b_.parameters()): tp.lerp_(p, 0.01)
    if it % 30 == 0: print(it, lq.item(), lpi.item(), log_alpha.item())
