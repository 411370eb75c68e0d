import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.RandomState(0)


def make_images(n, size=24):
    imgs = rng.normal(0, 0.15, (n, 1, size, size)).astype("float32")
    masks = np.zeros((n, size, size), dtype="int64")
    for i in range(n):
        for cls in (1, 2):
            r, c = rng.randint(0, size - 8, 2)
            h, w = rng.randint(4, 9, 2)
            imgs[i, 0, r:r + h, c:c + w] += 0.8 if cls == 1 else -0.8
            masks[i, r:r + h, c:c + w] = cls
    return torch.from_numpy(imgs), torch.from_numpy(masks)


class SmallUNet(nn.Module):
    def __init__(self, n_classes=3):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.mid = nn.Sequential(nn.Conv2d(12, 24, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(24, 12, 2, stride=2)
        self.skip = nn.Conv2d(1, 12, 3, padding=1)
        self.out = nn.Conv2d(24, n_classes, 1)

    def forward(self, x):
        h = self.up(self.mid(self.down(x)))
        return self.out(torch.cat([torch.relu(h), torch.relu(self.skip(x))], dim=1))


x, y = make_images(160)
xt, yt = make_images(40)
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
net = SmallUNet()
criterion = nn.CrossEntropyLoss()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)

for epoch in range(8):
    net.train()
    total = 0.0
    for xb, yb in loader:
        logits = net(xb)
        flat = logits.permute(0, 2, 3, 1).reshape(-1, 3)
        loss = criterion(flat, yb.view(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    net.eval()
    with torch.no_grad():
        pred = net(xt).argmax(1)
        fg = yt > 0
        acc = (pred[fg] == yt[fg]).float().mean().item()
    print(f"epoch {epoch} loss {total / len(x):.4f} foreground acc {acc:.3f}")
