import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class BlobDataset(Dataset):
    def __init__(self, n, seed):
        rng = np.random.RandomState(seed)
        yy, xx = np.mgrid[:24, :24]
        self.images, self.masks = [], []
        for _ in range(n):
            cy, cx, r = rng.randint(6, 18), rng.randint(6, 18), rng.randint(3, 7)
            m = ((yy - cy) ** 2 + (xx - cx) ** 2 <= r * r).astype(np.uint8)
            img = (m * 90 + 80 + rng.randn(24, 24) * 30).clip(0, 255).astype(np.uint8)
            self.images.append(img)
            self.masks.append(m)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        img = torch.from_numpy(self.images[i]).float()[None] / 255.0
        mask = torch.from_numpy(self.masks[i]).float()[None]
        return img, mask


def double_conv(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.ReLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.d1, self.d2 = double_conv(1, 8), double_conv(8, 16)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.u1 = double_conv(16, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(F.max_pool2d(a, 2))
        return self.out(self.u1(torch.cat([self.up(b), a], 1)))


def iou(logits, mask):
    p = logits > 0
    m = mask > 0
    return ((p & m).sum() / (p | m).sum().clamp(min=1)).item()


def main():
    torch.manual_seed(0)
    train = DataLoader(BlobDataset(320, 0), batch_size=16, shuffle=True)
    val = DataLoader(BlobDataset(64, 1), batch_size=64)
    net = UNet()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(5):
        net.train()
        tot = 0
        for x, y in train:
            opt.zero_grad()
            loss = F.binary_cross_entropy_with_logits(net(x), y)
            loss.backward()
            opt.step()
            tot += loss.item()
        net.eval()
        with torch.no_grad():
            s = np.mean([iou(net(x), y) for x, y in val])
        print(f"epoch {epoch}: loss {tot / len(train):.4f} val IoU {s:.4f}")


main()
