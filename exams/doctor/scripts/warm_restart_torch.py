import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.randn(1000, 10)
y = (x[:, :3].prod(1) > 0).long()
xt, yt, xv, yv = x[:800], y[:800], x[800:], y[800:]
net = nn.Sequential(nn.Linear(10, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
snaps = []
for cycle in range(3):
    opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=60)
    for step in range(60):
        i = torch.randint(0, 800, (100,))
        loss = F.cross_entropy(net(xt[i]), yt[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 12 == 0:
            print(f"cycle {cycle} step {step} loss {loss.item():.4f} lr {sched.get_last_lr()[0]:.4f}")
    snaps.append(copy.deepcopy(net).eval())
with torch.no_grad():
    p = torch.stack([s(xv).softmax(1) for s in snaps]).mean(0)
print("ensemble val acc", (p.argmax(1) == yv).float().mean().item())
