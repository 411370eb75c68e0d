import torch
import torch.nn as nn
import torch.nn.functional as F
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
N_ITERS = 20
N_COARSE, N_FINE, NEAR, FAR = 12, 12, 0.0, 2.0


def encode(p, bands=4):
    return torch.cat([p] + [f(2.0 ** k * p) for k in range(bands) for f in (torch.sin, torch.cos)], -1)


class Field(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(18, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.sigma = nn.Linear(width, 1)
        self.rgb = nn.Linear(width, 3)

    def forward(self, p):
        h = self.body(encode(p))
        return F.relu(self.sigma(h)).squeeze(-1), torch.sigmoid(self.rgb(h))


def render(field, origin, direction, z):
    sigma, rgb = field(origin[:, None] + direction[:, None] * z[..., None])
    gap = torch.cat([z[:, 1:] - z[:, :-1], torch.full_like(z[:, :1], 0.1)], 1)
    alpha = 1 - torch.exp(-sigma * gap)
    through = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha + 1e-10], 1), 1)[:, :-1]
    weight = alpha * through
    return (weight[..., None] * rgb).sum(1), weight


def rays(n):
    angle = torch.rand(n) * 6.2832
    out = torch.stack([angle.cos(), angle.sin()], 1)
    side = torch.stack([-out[:, 1], out[:, 0]], 1) * (torch.rand(n, 1) * 1.6 - 0.8)
    origin = out + side
    hit = side.norm(dim=1) < 0.5                    # a coloured disc in front of black
    surface = side - 0.0 * out + out * (0.25 - side.norm(dim=1, keepdim=True) ** 2).clamp(min=0).sqrt()
    colour = torch.stack([surface[:, 0] + 0.5, surface[:, 1] + 0.5, torch.full((n,), 0.7)], 1)
    return origin, -out, colour.clamp(0, 1) * hit[:, None]


coarse, fine = Field(), Field()
optimizer = torch.optim.Adam([*coarse.parameters(), *fine.parameters()], lr=5e-3)
decay = 0.1 ** (1 / 2000)
with parity.doctor({"coarse": coarse, "fine": fine}, {"adam": optimizer}) as d:
    for it in range(N_ITERS):
        d.mark()
        origin, direction, colour = rays(256)
        z = torch.linspace(NEAR, FAR, N_COARSE).expand(256, -1) + torch.rand(256, N_COARSE) * (FAR - NEAR) / N_COARSE
        first, weight = render(coarse, origin, direction, z)
        pick = torch.multinomial(weight.detach() + 1e-2, N_FINE, replacement=True)
        extra = z.gather(1, pick) + (torch.rand(256, N_FINE) - 0.5) * 0.15
        second, _ = render(fine, origin, direction, torch.cat([z, extra], 1).sort(1).values)
        loss = F.mse_loss(first, colour) + F.mse_loss(second, colour)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:         # learning rate decay, by hand
            group["lr"] = 5e-3 * decay ** it
        print(it, loss.item(), -10 * torch.log10(F.mse_loss(second.detach(), colour)).item())
print(d)
