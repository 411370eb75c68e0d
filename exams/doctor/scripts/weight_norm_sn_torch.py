import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

torch.manual_seed(0)


def real(n):
    x = 4 * torch.rand(n, 1) - 2
    return torch.cat([x, torch.sin(2 * x) + 0.05 * torch.randn(n, 1)], 1)


class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(weight_norm(nn.Linear(3, 64)), nn.ReLU(), weight_norm(nn.Linear(64, 64)), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, z):
        return self.net(z)


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(spectral_norm(nn.Linear(2, 64)), nn.LeakyReLU(0.1),
                                 spectral_norm(nn.Linear(64, 64)), nn.LeakyReLU(0.1), spectral_norm(nn.Linear(64, 1)))

    def forward(self, x):
        return 3 * self.net(x)


g, d = G(), D()
og = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.0, 0.9))
od = torch.optim.Adam(d.parameters(), lr=4e-3, betas=(0.0, 0.9))
ref = real(500)
for it in range(1, 401):
    fake = g(torch.randn(96, 3))
    loss_d = F.relu(1 - d(real(96))).mean() + F.relu(1 + d(fake.detach())).mean()
    od.zero_grad()
    loss_d.backward()
    od.step()
    loss_g = -d(g(torch.randn(96, 3))).mean()
    og.zero_grad()
    loss_g.backward()
    og.step()
    if it % 80 == 0 or it == 1:
        with torch.no_grad():
            s = g(torch.randn(500, 3))
            e = 2 * torch.cdist(s, ref).mean() - torch.cdist(s, s).mean() - torch.cdist(ref, ref).mean()
        print(f"it {it} D {loss_d.item():.3f} G {loss_g.item():.3f} energy {e.item():.4f}")
