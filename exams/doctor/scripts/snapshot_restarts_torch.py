import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(10, 20)


def draw(n):
    lab = rng.randint(0, 10, n)
    return torch.tensor(proto[lab] + 1.4 * rng.randn(n, 20), dtype=torch.float32), torch.from_numpy(lab)


x, y = draw(1000)
xv, yv = draw(600)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9, nesterov=True)
sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=6, eta_min=1e-3)
snapshots = []
for epoch in range(18):
    net.train()
    tot = 0.0
    batches = torch.randperm(1000).split(50)
    for k, idx in enumerate(batches):
        loss = F.cross_entropy(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step(epoch + (k + 1) / len(batches))
        tot += loss.item() / len(batches)
    if epoch % 6 == 5:
        snapshots.append(copy.deepcopy(net).eval())
    net.eval()
    with torch.no_grad():
        acc = (net(xv).argmax(1) == yv).float().mean().item()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1} lr {opt.param_groups[0]['lr']:.4f} loss {tot:.3f} acc {acc:.3f}")
with torch.no_grad():
    vote = torch.stack([m(xv).softmax(1) for m in snapshots]).mean(0)
print(f"ensemble acc {(vote.argmax(1) == yv).float().mean().item():.3f}")
