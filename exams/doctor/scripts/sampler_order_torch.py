import torch
from torch import nn

torch.manual_seed(0)
T = 40
beta = torch.linspace(1e-3, 0.2, T)
alpha = 1 - beta
abar = torch.cumprod(alpha, 0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(T, 16)
        self.net = nn.Sequential(nn.Linear(17, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, x, t):
        return self.net(torch.cat([x, self.time(t)], 1))


def data(n):
    return (torch.randint(0, 2, (n, 1)) * 2 - 1) * 1.5 + 0.15 * torch.randn(n, 1)


@torch.no_grad()
def sample(model, n):
    x = torch.randn(n, 1)
    for t in reversed(range(T)):
        eps = model(x, torch.full((n,), t))
        x = (x - beta[t] / (1 - abar[t]).sqrt() * eps) / alpha[t].sqrt()
        if t > 0:
            x = x + beta[t].sqrt() * torch.randn_like(x)
    return x


model = Denoiser()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(900):
    x0, t = data(128), torch.randint(0, T, (128,))
    noise = torch.randn_like(x0)
    xt = abar[t, None].sqrt() * x0 + (1 - abar[t, None]).sqrt() * noise
    loss = nn.functional.mse_loss(model(xt, t), noise)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 200 == 0:
        print("step", step, "loss", loss.item())
s = sample(model, 1000)
print("loss", loss.item(), "mean distance of samples to the two modes", (s.abs() - 1.5).abs().mean().item())
