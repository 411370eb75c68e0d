import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(2)
K, D = 10, 20
proto = torch.randn(K, 4)
mix = torch.randn(4, D)


def raw(n):
    y = torch.randint(0, K, (n,))
    return (proto[y] + 0.2 * torch.randn(n, 4)) @ mix, y


def augment(x):
    x = x + 1.2 * torch.randn_like(x)
    return x * (torch.rand_like(x) > 0.2)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(D, 128), nn.ReLU(), nn.Linear(128, 32))
        self.g = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16))

    def forward(self, x):
        return self.g(self.f(x))


def info_nce_loss(features, batch_size, temperature=0.3):
    features = F.normalize(features, dim=1)
    sim = features @ features.T / temperature
    labels = torch.cat([torch.arange(batch_size) + batch_size, torch.arange(batch_size)])
    sim = sim.masked_fill(torch.eye(2 * batch_size, dtype=torch.bool), -1e9)
    return F.cross_entropy(sim, labels)


model = Encoder()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
pool, pool_y = raw(2000)
for epoch in range(25):
    tot = 0.0
    for idx in torch.randperm(2000).split(200):
        view1, view2 = augment(pool[idx]), augment(pool[idx])
        views = torch.cat([view1, view2])
        loss = info_nce_loss(model(views), len(idx))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tot += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} contrastive loss {tot / 10:.4f}")

with torch.no_grad():
    a = F.normalize(model(augment(pool[:400])), dim=1)
    b = F.normalize(model(augment(pool[:400])), dim=1)
    top = (a @ b.T).argmax(1)
    same = (pool_y[:400][top] == pool_y[:400]).float().mean().item()
print("view retrieval, same class:", round(same, 4))
