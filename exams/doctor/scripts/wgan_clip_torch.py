import torch
import torch.nn as nn

torch.manual_seed(0)


def real(n):
    return torch.randn(n, 2) * 0.3 + torch.tensor([1.5, -1.0])


G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
C = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
opt_g = torch.optim.RMSprop(G.parameters(), lr=5e-3)
opt_c = torch.optim.RMSprop(C.parameters(), lr=5e-3)
start = (G(torch.randn(500, 4)).mean(0) - torch.tensor([1.5, -1.0])).norm().item()
for it in range(40):
    for _ in range(5):
        opt_c.zero_grad()
        with torch.no_grad():
            fake = G(torch.randn(64, 4))
        loss_c = C(fake).mean() - C(real(64)).mean()
        loss_c.backward()
        opt_c.step()
        for p in C.parameters():
            p.data.clamp_(-0.1, 0.1)
    opt_g.zero_grad()
    loss_g = -C(G(torch.randn(64, 4))).mean()
    loss_g.backward()
    opt_g.step()
    if it % 5 == 0:
        print(f"it {it} critic loss {loss_c.item():.4f} gen loss {loss_g.item():.4f}")
end = (G(torch.randn(500, 4)).mean(0) - torch.tensor([1.5, -1.0])).norm().item()
print(f"distance of the means {start:.3f} -> {end:.3f}")
