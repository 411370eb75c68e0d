"""Physics-informed network for u'' = -pi^2 sin(pi x), u(0) = u(1) = 0, with L-BFGS."""
import math

import torch
from torch import nn

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
STEPS = 12


class PINN(nn.Module):
    def __init__(self, width=20):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x):
        return self.net(x)


u = PINN()
x_in = torch.linspace(0, 1, 40).view(-1, 1).requires_grad_(True)
x_bc = torch.tensor([[0.0], [1.0]])
forcing = -math.pi ** 2 * torch.sin(math.pi * x_in.detach())
optimizer = torch.optim.LBFGS(u.parameters(), lr=0.5, max_iter=5, history_size=20)
history = []


def residual(x):
    val = u(x)
    du, = torch.autograd.grad(val, x, torch.ones_like(val), create_graph=True)
    d2u, = torch.autograd.grad(du, x, torch.ones_like(du), create_graph=True)
    return d2u - forcing


def closure():
    optimizer.zero_grad()
    loss = residual(x_in).pow(2).mean() + 10 * u(x_bc).pow(2).mean()
    loss.backward()
    return loss


with parity.doctor({"u": u}, {"lbfgs": optimizer}) as d:
    for step in range(STEPS):
        d.mark()
        loss = optimizer.step(closure)
        history.append(loss.item())
print(d)
