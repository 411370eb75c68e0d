import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)


def moons(n):
    t = rng.rand(n) * np.pi
    lab = rng.randint(0, 2, n)
    x = np.where(lab, 1 - np.cos(t), np.cos(t))
    y = np.where(lab, 0.4 - np.sin(t), np.sin(t))
    return torch.tensor(np.stack([x, y], 1) + 0.08 * rng.randn(n, 2), dtype=torch.float32), torch.from_numpy(lab)


x, y = moons(800)
labelled = torch.cat([torch.where(y == c)[0][:10] for c in (0, 1)])
xt, yt = moons(500)
student = nn.Sequential(nn.Linear(2, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.detach_()
opt = torch.optim.Adam(student.parameters(), lr=3e-3)


@torch.no_grad()
def ema(decay):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(decay).add_(s, alpha=1 - decay)
    for t, s in zip(teacher.buffers(), student.buffers()):
        t.copy_(s)


for step in range(1, 501):
    idx = torch.randint(0, len(x), (64,))
    xs = torch.cat([x[labelled], x[idx]])
    logits = student(xs + 0.15 * torch.randn_like(xs))
    with torch.no_grad():
        t_prob = teacher(xs + 0.15 * torch.randn_like(xs)).softmax(1)
    sup = F.cross_entropy(logits[:len(labelled)], y[labelled])
    weight = 5.0 * float(np.exp(-5 * (1 - min(1, step / 300)) ** 2))
    cons = (logits.softmax(1) - t_prob).pow(2).mean()
    loss = sup + weight * cons
    opt.zero_grad()
    loss.backward()
    opt.step()
    ema(min(0.99, 1 - 1 / (step + 1)))
    if step % 100 == 0 or step == 10:
        teacher.eval()
        with torch.no_grad():
            acc = (teacher(xt).argmax(1) == yt).float().mean().item()
        teacher.train()
        print(f"step {step} sup {sup.item():.3f} cons {cons.item():.4f} w {weight:.2f} teacher acc {acc:.3f}")
