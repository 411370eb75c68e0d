import torch
import torch.nn as nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
D = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
og = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.9))
od = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))
bce = nn.BCEWithLogitsLoss()
for step in range(150):
    x = 0.4 * torch.randn(64, 2) + torch.tensor([2.0, 2.0])
    D.requires_grad_(True)
    z = torch.randn(64, 6)
    d_real = bce(D(x), torch.full((64, 1), 0.9))
    d_fake = bce(D(G(z).detach()), torch.zeros(64, 1))
    od.zero_grad()
    (d_real + d_fake).backward()
    od.step()
    D.requires_grad_(False)
    g = bce(D(G(torch.randn(64, 6))), torch.ones(64, 1))
    og.zero_grad()
    g.backward()
    og.step()
    if step % 15 == 0:
        m = G(torch.randn(500, 6)).mean(0)
        print(f"step {step} d loss {(d_real + d_fake).item():.3f} g loss {g.item():.3f} mean {m[0].item():.2f} {m[1].item():.2f}")
