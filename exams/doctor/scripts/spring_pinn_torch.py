import math
import torch
import torch.nn as nn

torch.manual_seed(0)
omega, zeta_true = 3.0, 0.25


def exact(t):
    wd = omega * math.sqrt(1 - zeta_true ** 2)
    return torch.exp(-zeta_true * omega * t) * torch.cos(wd * t)


t_obs = torch.linspace(0, 2.0, 25)[:, None]
u_obs = exact(t_obs) + 0.01 * torch.randn_like(t_obs)
t_phys = torch.linspace(0, 3.0, 60)[:, None].requires_grad_(True)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
zeta = nn.Parameter(torch.tensor(0.0))
opt = torch.optim.Adam([{"params": net.parameters(), "lr": 5e-3}, {"params": [zeta], "lr": 1e-2}])
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=900, eta_min=1e-4)


def grad(y, x):
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


for it in range(1, 901):
    u = net(t_phys)
    du = grad(u, t_phys)
    ddu = grad(du, t_phys)
    res = ddu + 2 * zeta * omega * du + omega ** 2 * u
    data = (net(t_obs) - u_obs).pow(2).mean()
    loss = data + 1e-3 * res.pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if it == 1 or it % 180 == 0:
        with torch.no_grad():
            err = (net(t_phys) - exact(t_phys)).abs().max().item()
        print(f"it {it} loss {loss.item():.5f} zeta {zeta.item():.3f} max error {err:.3f}")
