import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(1)
C, D = 8, 30
centers = rng.randn(C, D).astype("float32")


def two_views(n):
    lab = rng.randint(0, C, n)
    base = centers[lab] + 0.6 * rng.randn(n, D)
    v1 = base + 0.3 * rng.randn(n, D)
    v2 = base + 0.3 * rng.randn(n, D)
    return torch.tensor(v1, dtype=torch.float32), torch.tensor(v2, dtype=torch.float32), lab


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(D, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


def info_nce(a, b, tau=0.2):
    logits = a @ b.t() / tau
    target = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))


enc = Encoder()
opt = torch.optim.Adam(enc.parameters(), lr=1e-3)
v1, v2, _ = two_views(256)

for step in range(1, 301):
    a, b, _ = two_views(128)
    loss = info_nce(enc(a), enc(b))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 60 == 0:
        with torch.no_grad():
            sim = enc(v1) @ enc(v2).t()
            top1 = (sim.argmax(1) == torch.arange(len(v1))).float().mean().item()
        print(f"step {step} loss {loss.item():.3f} retrieval top-1 {top1:.3f}")
