import itertools
import torch
import torch.nn as nn

torch.manual_seed(0)


def domain_a(n):
    return torch.randn(n, 2) * torch.tensor([1.0, 0.3])


def domain_b(n):
    return torch.randn(n, 2) * torch.tensor([0.3, 1.0]) + torch.tensor([4.0, 1.0])


def mlp(out):
    return nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, out))


def set_requires_grad(nets, flag):
    for net in nets:
        for p in net.parameters():
            p.requires_grad = flag


G_ab, G_ba, D_a, D_b = mlp(2), mlp(2), mlp(1), mlp(1)
opt_g = torch.optim.Adam(itertools.chain(G_ab.parameters(), G_ba.parameters()), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(itertools.chain(D_a.parameters(), D_b.parameters()), lr=1e-3, betas=(0.5, 0.999))
mse, l1 = nn.MSELoss(), nn.L1Loss()


def gan(score, real):
    return mse(score, torch.full_like(score, float(real)))


for it in range(1, 401):
    a, b = domain_a(64), domain_b(64)
    set_requires_grad([D_a, D_b], False)
    fake_b, fake_a = G_ab(a), G_ba(b)
    cyc = l1(G_ba(fake_b), a) + l1(G_ab(fake_a), b)
    loss_g = gan(D_b(fake_b), True) + gan(D_a(fake_a), True) + 3.0 * cyc
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()

    set_requires_grad([D_a, D_b], True)
    loss_d = 0.5 * (gan(D_a(a), True) + gan(D_a(fake_a.detach()), False)
                    + gan(D_b(b), True) + gan(D_b(fake_b.detach()), False))
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    if it == 1 or it % 80 == 0:
        with torch.no_grad():
            m = (G_ab(domain_a(500)).mean(0) - torch.tensor([4.0, 1.0])).norm().item()
        print(f"it {it} D {loss_d.item():.3f} G {loss_g.item():.3f} cycle {cyc.item():.3f} mean gap {m:.3f}")
