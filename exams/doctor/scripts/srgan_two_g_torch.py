import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32)); D = nn.Sequential(nn.Linear(32, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
g_optimizer = torch.optim.Adam(G.parameters(), lr=2e-5, betas=(0.5, 0.9)); d_optimizer = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()

def hr(n=64):
    t = torch.linspace(0, 6.28, 32); return torch.sin(t + 6.28 * torch.rand(n, 1)) * (0.5 + torch.rand(n, 1))

for it in range(200):
    high = hr(); low = F.avg_pool1d(high.unsqueeze(1), 2).squeeze(1)
    for p in D.parameters(): p.requires_grad = False
    sr = G(low)
    g_loss = F.l1_loss(sr, high) + 1e-2 * bce(D(sr), torch.ones(64, 1))
    g_optimizer.zero_grad(); g_loss.backward(); g_optimizer.step()
    for p in D.parameters(): p.requires_grad = True
    d_loss = bce(D(high), torch.ones(64, 1)) + bce(D(sr.detach()), torch.zeros(64, 1))
    d_optimizer.zero_grad(); d_loss.backward()
    d_optimizer.step()
    if it % 40 == 0: print(it, g_loss.item(), d_loss.item())
print("metric:", d_loss.item())
