import math
import torch
from torch import nn

torch.manual_seed(0)
RHO = 0.9


def pair(n):
    a = torch.randn(n, 1)
    return a, RHO * a + math.sqrt(1 - RHO ** 2) * torch.randn(n, 1)


critic = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(critic.parameters(), lr=2e-3)
running = 0.0
for step in range(500):
    a, b = pair(256)
    joint = critic(torch.cat([a, b], 1)).mean()
    apart = torch.logsumexp(critic(torch.cat([a, b[torch.randperm(256)]], 1)), 0).squeeze() - math.log(256)
    loss = apart - joint                  # minus the bound: negative, and the better the lower
    opt.zero_grad()
    loss.backward()
    opt.step()
    running = 0.97 * running + 0.03 * -loss.item()
    if step % 100 == 99:
        print("step", step, "loss", loss.item(), "bound", running)
print("mutual information", running, "true", -0.5 * math.log(1 - RHO ** 2))
