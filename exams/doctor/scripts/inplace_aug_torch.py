import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Crops(Dataset):
    def __init__(self, n, train=True):
        r = np.random.RandomState(0 if train else 1)
        self.y = r.randint(0, 2, n)
        base = r.randn(n, 16, 16).astype("float32")
        k = np.arange(16)
        for i in range(n):
            f = 0.7 if self.y[i] else 1.1
            base[i] += 0.7 * np.sin(f * k + r.rand() * 6)[:, None]
        self.x, self.train = base, train

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        img = torch.from_numpy(self.x[i].copy())
        if self.train:
            if torch.rand(()) < 0.5:
                img = img.flip(1)
            img.mul_(0.8 + 0.4 * torch.rand(())).add_(0.1 * torch.randn(()))
            r, c = torch.randint(0, 12, (2,)).tolist()
            img[r:r + 4, c:c + 4] = 0.0
        return img.unsqueeze(0), int(self.y[i])


torch.manual_seed(0)
train_dl = DataLoader(Crops(1000), 40, shuffle=True, drop_last=True)
val_dl = DataLoader(Crops(300, False), 100)
net = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))
opt = torch.optim.AdamW(net.parameters(), 5e-3)
sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=1)
for epoch in range(8):
    net.train()
    for x, y in train_dl:
        opt.zero_grad()
        l = nn.functional.cross_entropy(net(x), y)
        l.backward()
        opt.step()
    net.eval()
    vl = vc = 0
    with torch.no_grad():
        for x, y in val_dl:
            o = net(x)
            vl += nn.functional.cross_entropy(o, y, reduction="sum").item()
            vc += (o.argmax(1) == y).sum().item()
    sched.step(vl / 300)
    print(f"{epoch} train {l.item():.4f} val {vl / 300:.4f} acc {vc / 300:.4f}")
