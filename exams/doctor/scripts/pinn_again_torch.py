import torch
import torch.nn as nn

torch.manual_seed(0)


class PINN(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        self.mu = nn.Parameter(torch.tensor(0.5))

    def forward(self, t):
        return self.net(t)


k = 4.0
t_obs = torch.linspace(0, 2, 20).view(-1, 1)
true_mu = 2.0
w = (k - (true_mu / 2) ** 2) ** 0.5
u_obs = torch.exp(-true_mu / 2 * t_obs) * (torch.cos(w * t_obs) + true_mu / 2 / w * torch.sin(w * t_obs))
model = PINN()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
t_phys = torch.linspace(0, 2, 60).view(-1, 1).requires_grad_(True)
for i in range(1500):
    opt.zero_grad()
    data_loss = ((model(t_obs) - u_obs) ** 2).mean()
    u = model(t_phys)
    du = torch.autograd.grad(u, t_phys, torch.ones_like(u), create_graph=True)[0]
    d2u = torch.autograd.grad(du, t_phys, torch.ones_like(du), create_graph=True)[0]
    phys_loss = ((d2u + model.mu * du + k * u) ** 2).mean()
    loss = data_loss + 0.02 * phys_loss
    loss.backward()
    opt.step()
    if i % 300 == 299:
        print(f"iter {i + 1} loss {loss.item():.6f} mu {model.mu.item():.4f}")
print("error of mu", round(abs(model.mu.item() - true_mu), 4))
