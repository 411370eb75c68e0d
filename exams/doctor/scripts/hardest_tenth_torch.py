import torch
from torch import nn

torch.manual_seed(0)
x = torch.rand(2000, 2) * 2 - 1
y = ((x[:, 0] * 4).sin() > x[:, 1] * 1.2).float()
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for step in range(500):
    i = torch.randint(0, 1600, (200,))
    each = nn.functional.binary_cross_entropy_with_logits(net(x[i]).squeeze(1), y[i], reduction="none")
    loss = each.topk(40)[0].mean()          # only the hardest fifth of a batch (OHEM): stays high
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print("step", step, "hard loss", loss.item(), "mean loss", each.mean().item())
print("accuracy", ((net(x[1600:])[:, 0] > 0) == y[1600:].bool()).float().mean().item())
