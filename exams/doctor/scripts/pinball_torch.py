import torch
from torch import nn

torch.manual_seed(0)
Q = 0.9


def pinball(pred, target, q):
    error = target - pred
    return torch.maximum(q * error, (q - 1) * error).mean()


def demand(n):
    x = torch.rand(n, 1) * 4
    return x, 10 + 3 * x + (1 + x) * torch.randn(n, 1)


model = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(500):
    x, y = demand(128)
    loss = pinball(model(x), y, Q)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print("step", step, "loss", loss.item())
x, y = demand(5000)
print("share of demand below the stock (wanted 0.9):", (y < model(x)).float().mean().item())
