import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-3, 3, 60)[:, None]
y = torch.sin(2 * x) * x + 0.05 * torch.randn_like(x)
model = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    return loss


for outer in range(25):
    loss = optimizer.step(closure)
    if outer % 5 == 0:
        print("outer", outer, "loss", loss.item())
print("final loss", nn.functional.mse_loss(model(x), y).item())
