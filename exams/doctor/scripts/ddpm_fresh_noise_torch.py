import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
T = 50; beta = torch.linspace(1e-3, 0.2, T); abar = torch.cumprod(1 - beta, 0)
class Eps(nn.Module):
    def __init__(self):
        super().__init__(); self.t = nn.Embedding(T, 32); self.a, self.b, self.c = nn.Linear(2, 64), nn.Linear(96, 64), nn.Linear(64, 2)
    def forward(self, x, t): return self.c(F.silu(self.b(torch.cat([F.silu(self.a(x)), self.t(t)], 1))))
model = Eps(); opt = torch.optim.Adam(model.parameters(), lr=2e-3)
def q_sample(x0, t, noise): return abar[t, None].sqrt() * x0 + (1 - abar[t, None]).sqrt() * noise
for it in range(250):
    angle = 6.28 * torch.rand(128); x0 = torch.stack([angle.cos(), angle.sin()], 1)
    t = torch.randint(0, T, (128,)); noise = torch.randn_like(x0)
    pred = model(q_sample(x0, t, noise), t)
    loss = F.mse_loss(pred, noise)
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 50 == 0: print(it, loss.item())
print("metric:", loss.item())
