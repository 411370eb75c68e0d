import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
centers = 2 * torch.randn(8, 30)
y = torch.arange(800) % 8
data = centers[y] + torch.randn(800, 30)
enc = nn.Sequential(nn.Linear(30, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32), nn.BatchNorm1d(32, affine=False))
pred = nn.Sequential(nn.Linear(32, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 32))
opt = torch.optim.SGD(list(enc.parameters()) + list(pred.parameters()), lr=0.1, momentum=0.9, weight_decay=1e-4)


def D(p, z):
    return -F.cosine_similarity(p, z.detach(), dim=1).mean()


for step in range(120):
    xb = data[torch.randint(0, 800, (128,))]
    a, b = xb + 0.7 * torch.randn_like(xb), xb * (torch.rand_like(xb) > 0.2)
    za, zb = enc(a), enc(b)
    loss = 0.5 * D(pred(za), zb) + 0.5 * D(pred(zb), za)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 12 == 0:
        print(f"step {step} loss {loss.item():.4f} z std {F.normalize(za, dim=1).std(0).mean().item():.4f}")
enc.eval()
with torch.no_grad():
    z = F.normalize(enc(data), dim=1)
    s = z @ z.t()
    s.fill_diagonal_(-2)
print("knn acc", (y[s.argmax(1)] == y).float().mean().item())
