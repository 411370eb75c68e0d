import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.lam * g, None


torch.manual_seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(3, 8) * 1.2


def domain(n, shift):
    lab = rng.randint(0, 3, n)
    core = proto[lab] + 0.6 * rng.randn(n, 8)
    style = rng.randn(n, 4) + shift
    return torch.tensor(np.concatenate([core + 0.3 * shift, style], 1), dtype=torch.float32), torch.from_numpy(lab)


feat = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())
cls, dom = nn.Linear(24, 3), nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.SGD([*feat.parameters(), *cls.parameters(), *dom.parameters()], lr=0.03, momentum=0.9)
xt_all, yt_all = domain(600, 2.0)
STEPS = 500
for it in range(1, STEPS + 1):
    p = it / STEPS
    lam = 2 / (1 + np.exp(-10 * p)) - 1
    for g in opt.param_groups:
        g["lr"] = 0.03 / (1 + 10 * p) ** 0.75
    xs, ys = domain(64, 0.0)
    xt, _ = domain(64, 2.0)
    f = feat(torch.cat([xs, xt]))
    d_lab = torch.cat([torch.zeros(64), torch.ones(64)]).long()
    loss_c = F.cross_entropy(cls(f[:64]), ys)
    loss_d = F.cross_entropy(dom(Reverse.apply(f, lam)), d_lab)
    opt.zero_grad()
    (loss_c + loss_d).backward()
    opt.step()
    if it % 100 == 0 or it == 20:
        with torch.no_grad():
            acc = (cls(feat(xt_all)).argmax(1) == yt_all).float().mean().item()
        print(f"it {it} class loss {loss_c.item():.3f} domain loss {loss_d.item():.3f} target acc {acc:.3f}")
