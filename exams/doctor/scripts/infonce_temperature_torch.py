import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)


class Tower(nn.Module):
    def __init__(self, inp, out=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(inp, 64), nn.ReLU(), nn.Linear(64, out))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


A, B = torch.randn(6, 20), torch.randn(6, 14)


def batch(n):
    z = torch.randn(n, 6)
    return z @ A + 0.3 * torch.randn(n, 20), torch.tanh(z @ B) + 0.1 * torch.randn(n, 14)


image, text = Tower(20), Tower(14)
params = list(image.parameters()) + list(text.parameters())
opt = torch.optim.Adam(params, lr=2e-3)
temperature = 0.07
for step in range(400):
    u, v = batch(64)
    logits = image(u) @ text(v).t() / temperature
    labels = torch.arange(64)
    loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 80 == 0:
        print(f"step {step:4d} loss {loss.item():.4f}")
with torch.no_grad():
    u, v = batch(300)
    hit = ((image(u) @ text(v).t()).argmax(1) == torch.arange(300)).float().mean().item()
print("loss", loss.item(), "top-1 of 300", hit)
