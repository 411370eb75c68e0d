import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(6, 32)


def views(n):
    lab = rng.randint(0, 6, n)
    base = 0.6 * proto[lab] + 0.4 * rng.randn(n, 32)
    pair = []
    for _ in range(2):
        noise = 1.5 * rng.randn(n, 32)
        pair.append(torch.tensor(np.concatenate([base, noise], 1), dtype=torch.float32))
    return pair[0], pair[1], lab


def mlp(i, h, o):
    return nn.Sequential(nn.Linear(i, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Linear(h, o))


online = mlp(64, 64, 32)
predictor = mlp(32, 32, 32)
target = copy.deepcopy(online)
for p in target.parameters():
    p.requires_grad = False
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=2e-3, weight_decay=1e-5)


def regression(p, z):
    return 2 - 2 * F.cosine_similarity(p, z.detach(), dim=1).mean()


def knn():
    online.eval()
    with torch.no_grad():
        a, _, la = views(400)
        b, _, lb = views(400)
        sim = F.normalize(online(a), dim=1) @ F.normalize(online(b), dim=1).t()
    online.train()
    return float((lb[sim.argmax(1).numpy()] == la).mean())


print(f"start knn {knn():.3f}")
for step in range(1, 401):
    v1, v2, _ = views(128)
    with torch.no_grad():
        t1, t2 = target(v1), target(v2)
    loss = regression(predictor(online(v1)), t2) + regression(predictor(online(v2)), t1)
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for pt, po in zip(target.parameters(), online.parameters()):
            pt.data.mul_(0.98).add_(po.data, alpha=0.02)
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.3f} knn {knn():.3f}")
