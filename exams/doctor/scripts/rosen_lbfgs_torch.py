import torch
import torch.nn as nn

torch.manual_seed(0)
x = torch.linspace(-3, 3, 120)[:, None]
y = torch.exp(-x ** 2) * torch.cos(4 * x) + 0.02 * torch.randn_like(x)
net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1)).double()
x, y = x.double(), y.double()
opt = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=12, history_size=20, line_search_fn="strong_wolfe")
calls = 0


def closure():
    global calls
    calls += 1
    opt.zero_grad()
    loss = (net(x) - y).pow(2).mean()
    reg = sum(p.pow(2).sum() for p in net.parameters())
    total = loss + 1e-6 * reg
    total.backward()
    return total


with torch.no_grad():
    print(f"start mse {(net(x) - y).pow(2).mean().item():.5f}")
for step in range(1, 31):
    loss = opt.step(closure)
    if step % 6 == 0:
        with torch.no_grad():
            mse = (net(x) - y).pow(2).mean().item()
        print(f"step {step} calls {calls} objective {loss.item():.6f} mse {mse:.6f}")
