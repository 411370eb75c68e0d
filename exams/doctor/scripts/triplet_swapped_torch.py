import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
protos = torch.randn(12, 20)
net = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 8)); opt = torch.optim.Adam(net.parameters(), lr=2e-3)
def draw(y): return F.normalize(net(protos[y] + 0.8 * torch.randn(len(y), 20)), dim=1)
for it in range(200):
    y = torch.randint(0, 12, (64,)); other = (y + torch.randint(1, 12, (64,))) % 12
    a, p, n = draw(y), draw(y), draw(other)
    d_ap, d_an = (a - p).pow(2).sum(1), (a - n).pow(2).sum(1)
    loss = F.relu(d_ap - d_an + 0.5).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
with torch.no_grad():
    q, g = draw(torch.arange(12)), draw(torch.arange(12)); print("metric:", (torch.cdist(q, g).argmin(1) == torch.arange(12)).float().mean().item())
