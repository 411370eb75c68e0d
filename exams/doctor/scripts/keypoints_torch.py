import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

np.random.seed(0)
torch.manual_seed(0)


def render(cx, cy):
    yy, xx = np.mgrid[:20, :20]
    img = np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / 6.0)
    return (img + 0.1 * np.random.randn(20, 20)).astype(np.float32)


class KeypointSet(Dataset):
    def __init__(self, n, train):
        self.pts = np.random.uniform(2, 17, (n, 2)).astype(np.float32)
        self.imgs = [render(*p) for p in self.pts]
        self.train = train

    def __len__(self):
        return len(self.imgs)

    def __getitem__(self, i):
        img, pt = self.imgs[i], self.pts[i].copy()
        if self.train and np.random.rand() < 0.5:
            img = img[:, ::-1].copy()
            pt[0] = 19 - pt[0]
        return torch.from_numpy(img)[None], torch.from_numpy(pt) / 19.0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(16 * 25, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.fc(self.conv(x))


train_dl = DataLoader(KeypointSet(1200, True), batch_size=40, shuffle=True)
val_dl = DataLoader(KeypointSet(300, False), batch_size=300)
net = Net()
optim = torch.optim.Adam(net.parameters(), 1e-3)
crit = nn.SmoothL1Loss()
for ep in range(12):
    net.train()
    run = 0.0
    for im, kp in train_dl:
        optim.zero_grad()
        loss = crit(net(im), kp)
        loss.backward()
        optim.step()
        run += loss.item()
    net.eval()
    with torch.no_grad():
        im, kp = next(iter(val_dl))
        err = ((net(im) - kp) * 19).norm(dim=1).mean().item()
    print(f"ep {ep} loss {run / len(train_dl):.5f} pixel error {err:.3f}")
