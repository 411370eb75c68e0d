import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
t = torch.linspace(0, 4, 100)[:, None]
path = torch.exp(-0.3 * t) * torch.cos(3 * t)
# the unknowns of x'' = -k x - c x', found by fitting the path that an integrator makes of them
k, c = nn.Parameter(torch.tensor(6.0)), nn.Parameter(torch.tensor(0.1))
opt = torch.optim.Adam([k, c], lr=0.05)
for step in range(120):
    x, v, xs = path[0], torch.tensor([-0.3]), []
    for _ in range(100):
        xs.append(x)
        v = v + (t[1] - t[0]) * (-k * x - c * v)
        x = x + (t[1] - t[0]) * v
    loss = ((torch.stack(xs) - path) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print("step", step, "loss", loss.item(), "k", k.item(), "c", c.item())
print("final loss", loss.item(), "k", k.item(), "c", c.item())
