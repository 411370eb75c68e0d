import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader

torch.manual_seed(0)
rng = np.random.RandomState(0)
people = rng.randn(20, 32)
samples = np.concatenate([p + 0.7 * rng.randn(30, 32) for p in people]).astype("float32")
labels = np.repeat(np.arange(20), 30)


class TripletSet(Dataset):
    def __len__(self):
        return len(samples)

    def __getitem__(self, i):
        pos = rng.choice(np.where(labels == labels[i])[0])
        neg = rng.choice(np.where(labels != labels[i])[0])
        return samples[i], samples[pos], samples[neg]


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward(self, x):
        return F.normalize(self.layers(x), dim=-1)


def triplet(anchor, positive, negative, margin=0.3):
    d_pos = (anchor - positive).pow(2).sum(1)
    d_neg = (anchor - negative).pow(2).sum(1)
    return F.relu(d_pos - d_neg + margin).mean()


net = Embedder()
loader = DataLoader(TripletSet(), batch_size=60, shuffle=True)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)


def knn_accuracy():
    with torch.no_grad():
        z = net(torch.from_numpy(samples))
    d = torch.cdist(z, z)
    d.fill_diagonal_(1e9)
    return float((labels[d.argmin(1).numpy()] == labels).mean())


for epoch in range(12):
    running = 0.0
    for a, p, n in loader:
        loss = triplet(net(a), net(p), net(n))
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} loss {running / len(loader):.4f} 1-nn accuracy {knn_accuracy():.3f}")
