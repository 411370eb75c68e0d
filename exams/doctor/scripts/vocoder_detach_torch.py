import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Generator(nn.Module):
    def __init__(self):
        super().__init__(); self.net = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 24))
    def forward(self, z): return self.net(z)
class Critic(nn.Module):
    def __init__(self):
        super().__init__(); self.net = nn.Sequential(nn.Linear(24, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
    def forward(self, x): return self.net(x)
g, d = Generator(), Critic()
g_opt, d_opt = torch.optim.Adam(g.parameters(), 5e-4, betas=(0.5, 0.9)), torch.optim.Adam(d.parameters(), 5e-4, betas=(0.5, 0.9))
decay = torch.exp(-torch.arange(24) / 6.0)
for it in range(900):
    real = decay + 0.3 * torch.randn(64, 24); fake = g(torch.randn(64, 8))
    d_loss = F.mse_loss(d(real), torch.ones(64, 1)) + F.mse_loss(d(fake.detach()), torch.zeros(64, 1))
    d_opt.zero_grad(); d_loss.backward(); d_opt.step()
    d_fake2 = d(fake)
    adversarial = F.mse_loss(d_fake2, torch.ones_like(d_fake2))
    energy = (fake.pow(2).mean() - real.pow(2).mean()).abs()
    g_loss = adversarial + 0.1 * energy
    g_opt.zero_grad(); g_loss.backward(); g_opt.step()
    if it % 50 == 0: print(it, d_loss.item(), g_loss.item())
print("metric:", (g(torch.randn(2000, 8)).mean(0) - decay).abs().mean().item())
