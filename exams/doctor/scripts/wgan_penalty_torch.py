import torch
import torch.nn as nn
from torch import autograd

torch.manual_seed(0)


def real_batch(n):
    centers = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    return centers[torch.randint(0, 3, (n,))] + 0.2 * torch.randn(n, 2)


G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
C = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.9))
opt_c = torch.optim.Adam(C.parameters(), lr=5e-4, betas=(0.0, 0.9))
LAMBDA, N_CRITIC, B = 1.0, 4, 128


def penalty(real, fake):
    eps = torch.rand(real.size(0), 1)
    mix = (eps * real + (1 - eps) * fake).detach().requires_grad_(True)
    out = C(mix)
    (grads,) = autograd.grad(
        outputs=out,
        inputs=mix,
        grad_outputs=torch.ones_like(out),
        create_graph=True,
    )
    return ((grads.norm(2, dim=1) - 1) ** 2).mean()


for it in range(1, 401):
    for _ in range(N_CRITIC):
        real = real_batch(B)
        fake = G(torch.randn(B, 4)).detach()
        w = C(real).mean() - C(fake).mean()
        gp = penalty(real, fake)
        loss_c = -w + LAMBDA * gp
        opt_c.zero_grad()
        loss_c.backward()
        opt_c.step()
    loss_g = -C(G(torch.randn(B, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if it % 80 == 0:
        with torch.no_grad():
            a, b = real_batch(500), G(torch.randn(500, 4))
            dist = 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()
        print(f"iter {it} W {w.item():.3f} gp {gp.item():.3f} energy distance {dist.item():.4f}")
