import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
rng = np.random.default_rng(0)


def draw(kind):
    """A 12x12 grey picture (uint8) of a brighter blob: wide, tall or round."""
    yy, xx = np.mgrid[:12, :12]
    cy, cx = rng.uniform(4, 8, 2)
    sy, sx = [(1.5, 2.5), (2.5, 1.5), (2.0, 2.0)][kind]
    img = 60 + 150 * np.exp(-((yy - cy) / sy) ** 2 - ((xx - cx) / sx) ** 2) + rng.normal(0, 25, (12, 12))
    return np.clip(img, 0, 255).astype(np.uint8)


class Blobs(Dataset):
    def __init__(self, n, train):
        self.y = rng.integers(0, 3, n)
        self.x = [draw(k) for k in self.y]
        self.train = train

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        img = self.x[i]
        if self.train:      # brighten or darken at random
            img = np.clip(img.astype(np.int16) + rng.integers(-60, 60), 0, 255).astype(np.uint8)
        return torch.from_numpy(img)[None].float() / 255 - 0.35, int(self.y[i])


train = DataLoader(Blobs(600, True), batch_size=30, shuffle=True)
test = DataLoader(Blobs(300, False), batch_size=100)
net = nn.Sequential(nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1),
                    nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 9, 3))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(10):
    total = 0.0
    for x, y in train:
        loss = nn.functional.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print("epoch", epoch, "loss", total / len(train))
with torch.no_grad():
    print("test accuracy", np.mean([(net(x).argmax(1) == y).float().mean().item() for x, y in test]))
