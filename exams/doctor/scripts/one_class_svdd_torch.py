import torch
from torch import nn

torch.manual_seed(0)
# deep SVDD: only good parts are seen, no labels; every vector is drawn to one centre that stays where it is
mix = torch.randn(3, 12)
good = torch.randn(800, 3) @ mix + 0.1 * torch.randn(800, 12)
bad = torch.randn(200, 12) * 1.8
net = nn.Sequential(nn.Linear(12, 32, bias=False), nn.LeakyReLU(0.1), nn.Linear(32, 8, bias=False))
with torch.no_grad():
    centre = net(good).mean(0)
    centre = torch.where(centre.abs() < 0.1, 0.1 * torch.sign(centre), centre)
opt = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-5)
for epoch in range(15):
    for i in torch.randperm(600).split(50):
        loss = (net(good[i]) - centre).square().sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 2:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    score = lambda x: (net(x) - centre).square().sum(1)
    auc = (score(bad)[:, None] > score(good[600:])[None]).float().mean().item()
print("auc", auc)
