import torch
from torch import nn

torch.manual_seed(3)
# multidimensional scaling: cities are put on a map from their distances; all pairs by broadcasting (n, 1) - (1, n)
true = torch.rand(25, 2) * 4
want = (true[:, None] - true[None]).square().sum(-1).add(1e-9).sqrt()
place = nn.Parameter(torch.randn(25, 2) * 2)
opt = torch.optim.Adam([place], lr=0.05)
for step in range(500):
    diff = place.unsqueeze(1) - place.unsqueeze(0)
    dist = (diff.square().sum(-1) + 1e-9).sqrt()
    loss = (dist - want).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print("step", step, "stress", loss.item())
print("final stress", loss.item())
