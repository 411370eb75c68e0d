"""Energy based model of a ring of points, trained by contrastive divergence with a buffer of Langevin chains."""
import random
import torch
from torch import nn
import parity

torch.manual_seed(1)
random.seed(1)
torch.set_num_threads(1)
ITERATIONS = 24
energy = nn.Sequential(nn.Linear(2, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 1))
optimizer = torch.optim.Adam(energy.parameters(), lr=1e-3, betas=(0.0, 0.999))
chains = torch.rand(2048, 2) * 4 - 2


def ring(n):
    angle = torch.rand(n) * 6.2832
    return torch.stack([angle.cos(), angle.sin()], 1) * 1.2 + 0.05 * torch.randn(n, 2)


def langevin(index, steps=20, size=0.05):
    """Runs the chains of the buffer with the network frozen and in eval mode."""
    x = chains[index].clone()
    fresh = torch.rand(len(index)) < 0.05
    x[fresh] = torch.rand(int(fresh.sum()), 2) * 4 - 2
    energy.eval()
    energy.requires_grad_(False)
    x.requires_grad_(True)
    for _ in range(steps):
        gradient, = torch.autograd.grad(energy(x).sum(), x)
        x.data.add_(gradient.clamp(-5, 5), alpha=-size).add_(torch.randn_like(x), alpha=0.05)
    energy.requires_grad_(True)
    energy.train()
    chains[index] = x.detach()
    return x.detach()


losses = []
with parity.doctor({"energy": energy}, {"adam": optimizer}) as d:
    for iteration in range(ITERATIONS):
        d.mark()
        real = ring(128)
        fake = langevin(torch.randperm(len(chains))[:128])
        optimizer.zero_grad(set_to_none=True)
        up, down = energy(real), energy(fake)
        loss = up.mean() - down.mean() + 0.1 * (up ** 2 + down ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(abs(fake.norm(dim=1) - 1.2).mean().item())     # how far the samples are from the ring
print(d)
