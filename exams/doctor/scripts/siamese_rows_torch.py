import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
classes = rng.randn(8, 16)
data = np.concatenate([c + 0.6 * rng.randn(25, 16) for c in classes]).astype("float32")
lab = np.repeat(np.arange(8), 25)


def make_pairs(n):
    i = rng.randint(0, len(lab), n)
    same = rng.rand(n) < 0.5
    j = np.array([rng.choice(np.where((lab == lab[a]) == s)[0]) for a, s in zip(i, same)])
    return torch.from_numpy(data[i]), torch.from_numpy(data[j]), torch.from_numpy(same.astype("float32"))


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward(self, a, b):
        return self.net(a), self.net(b)


def contrastive(za, zb, same, margin=1.5):
    dist = torch.sqrt(((za - zb) ** 2).sum(1) + 1e-8)
    pos = same * dist ** 2
    neg = (1 - same) * torch.clamp(margin - dist, min=0) ** 2
    return (pos + neg).mean()


model = Siamese()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(1, 301):
    a, b, same = make_pairs(64)
    loss = contrastive(*model(a, b), same)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 60 == 0:
        with torch.no_grad():
            z = model.net(torch.from_numpy(data))
            d = torch.cdist(z, z)
            d.fill_diagonal_(1e9)
            acc = (lab[d.argmin(1).numpy()] == lab).mean()
        print(f"step {step} loss {loss.item():.4f} neighbour accuracy {acc:.3f}")
