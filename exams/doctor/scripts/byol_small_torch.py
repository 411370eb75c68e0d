import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(9)
C, D = 6, 20
cent = torch.randn(C, D) * 1.3
y = torch.randint(0, C, (1500,))
x = cent[y] + 0.6 * torch.randn(1500, D)


def aug(v):
    return (v + 0.5 * torch.randn_like(v)) * (torch.rand_like(v) > 0.15)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, o))


online = nn.ModuleDict({"enc": mlp(D, 32), "proj": mlp(32, 16)})
predictor = mlp(16, 16)
target = copy.deepcopy(online).requires_grad_(False)
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=2e-3)


def f(net, v):
    return net["proj"](net["enc"](v))


def regress(p, z):
    return 2 - 2 * F.cosine_similarity(p, z.detach(), dim=-1).mean()


for step in range(400):
    b = x[torch.randint(0, 1500, (128,))]
    v1, v2 = aug(b), aug(b)
    loss = regress(predictor(f(online, v1)), f(target, v2)) + regress(predictor(f(online, v2)), f(target, v1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for o, t in zip(online.parameters(), target.parameters()):
            t.mul_(0.98).add_(o, alpha=0.02)
    if step % 100 == 99:
        print("step", step + 1, "byol loss", round(loss.item(), 4))

online.eval()
with torch.no_grad():
    h = F.normalize(online["enc"](x), dim=1)
    sim = h[1200:] @ h[:1200].T
    knn = y[:1200][sim.topk(5, 1)[1]].mode(1)[0]
print("knn acc", round((knn == y[1200:]).float().mean().item(), 4))
