import math
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
FREQ = torch.tensor([2.0, 3.0, 4.0, 5.0])


def raw(n, length=48):
    y = torch.randint(0, 4, (n,))
    t = torch.linspace(0, 1, length)
    sig = torch.sin(2 * math.pi * FREQ[y][:, None] * t + 6.28 * torch.rand(n, 1))
    return sig[:, None] + 0.8 * torch.randn(n, 1, length), y


def augment(x):
    gain = 0.7 + 0.6 * torch.rand(len(x), 1, 1)
    return torch.roll(x * gain, int(torch.randint(0, 48, (1,))), -1) + 0.2 * torch.randn_like(x)


encoder = nn.Sequential(nn.Conv1d(1, 16, 7, 2, 3), nn.BatchNorm1d(16), nn.ReLU(),
                        nn.Conv1d(16, 32, 5, 2, 2), nn.BatchNorm1d(32), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
projector = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16))
opt = torch.optim.Adam([*encoder.parameters(), *projector.parameters()], lr=3e-3)


def nt_xent(z1, z2, tau=0.3):
    n = len(z1)
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    sim = (z @ z.t() / tau).masked_fill(torch.eye(2 * n, dtype=torch.bool), float("-inf"))
    target = torch.arange(2 * n).roll(n)
    return F.cross_entropy(sim, target)


def probe():
    encoder.eval()
    with torch.no_grad():
        (a, ya), (b, yb) = raw(300), raw(300)
        d = torch.cdist(F.normalize(encoder(b), dim=1), F.normalize(encoder(a), dim=1))
    encoder.train()
    return (ya[d.argmin(1)] == yb).float().mean().item()


print(f"start nearest-neighbour acc {probe():.3f}")
for step in range(1, 201):
    x, _ = raw(64)
    loss = nt_xent(projector(encoder(augment(x))), projector(encoder(augment(x))))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0 or step == 1:
        print(f"step {step} loss {loss.item():.3f} nearest-neighbour acc {probe():.3f}")
