import math
import torch
import torch.nn as nn

torch.manual_seed(0)


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x)


def derivative(y, x):
    return torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]


def residual(model, x):
    u = model(x)
    u_x = derivative(u, x)
    u_xx = derivative(u_x, x)
    return u_xx + math.pi ** 2 * torch.sin(math.pi * x)


model = Field()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=400, gamma=0.5)
xb = torch.tensor([[-1.0], [1.0]])
grid = torch.linspace(-1, 1, 101).unsqueeze(1)
exact = torch.sin(math.pi * grid)

for it in range(1, 1001):
    x = (2 * torch.rand(64, 1) - 1).requires_grad_(True)
    f = residual(model, x)
    loss_pde = torch.mean(f ** 2)
    loss_bc = torch.mean(model(xb) ** 2)
    loss = loss_pde + 10.0 * loss_bc
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if it % 200 == 0:
        with torch.no_grad():
            err = (model(grid) - exact).abs().mean().item()
        print(f"iter {it} pde {loss_pde.item():.2e} bc {loss_bc.item():.2e} error vs exact {err:.4f}")
