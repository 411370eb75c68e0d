import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
centers = torch.randn(10, 32)
labels = torch.arange(1000) % 10
data = centers[labels] + 0.5 * torch.randn(1000, 32)


def augment(x):
    mask = (torch.rand_like(x) > 0.2).float()
    return x * mask + 0.1 * torch.randn_like(x)


def nt_xent(z1, z2, tau=0.2):
    n = z1.size(0)
    z = F.normalize(torch.cat([z1, z2], dim=0), dim=1)
    sim = z @ z.t() / tau
    sim.fill_diagonal_(-1e9)
    targets = torch.cat([torch.arange(n) + n, torch.arange(n)])
    return F.cross_entropy(sim, targets)


encoder = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32))
projector = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16))
opt = torch.optim.Adam(list(encoder.parameters()) + list(projector.parameters()), lr=2e-3)

for step in range(150):
    idx = torch.randint(0, 1000, (128,))
    v1, v2 = augment(data[idx]), augment(data[idx])
    loss = nt_xent(projector(encoder(v1)), projector(encoder(v2)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 15 == 0:
        print(f"step {step} nt-xent {loss.item():.4f}")

with torch.no_grad():
    f = F.normalize(projector(encoder(data)), dim=1)
    s = f @ f.t()
    s.fill_diagonal_(-2)
    print("1-nn accuracy", (labels[s.argmax(1)] == labels).float().mean().item())
