import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

import parity

torch.manual_seed(5)


class Cells(Dataset):
    """Discs on noise, and their masks."""

    def __init__(self, count=48, size=24):
        rng = np.random.default_rng(11)
        y, x = np.mgrid[:size, :size]
        self.items = []
        for _ in range(count):
            row, column, radius = rng.uniform(6, 18), rng.uniform(6, 18), rng.uniform(3, 6)
            mask = ((y - row) ** 2 + (x - column) ** 2 < radius ** 2).astype("int64")
            image = rng.normal(0, 0.2, (3, size, size)) + mask * np.array([0.8, -0.5, 0.3])[:, None, None]
            self.items.append((image.astype("float32"), mask))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def block(fan_in, fan_out):
    return nn.Sequential(nn.Conv2d(fan_in, fan_out, 3, padding=1), nn.BatchNorm2d(fan_out), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.down1, self.down2, self.middle = block(3, 8), block(8, 16), block(16, 16)
        self.up2 = block(32, 8)
        self.up1 = block(16, 8)
        self.head = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.middle(F.max_pool2d(b, 2))
        c = F.interpolate(c, scale_factor=2, mode="bilinear", align_corners=False)
        u = self.up2(torch.cat([c, b], 1))
        u = F.interpolate(u, scale_factor=2, mode="nearest")
        return self.head(self.up1(torch.cat([u, a], 1)))


def dice_loss(logits, mask):
    p = logits.softmax(1)[:, 1]
    m = mask.float()
    overlap = (p * m).sum((1, 2))
    return 1 - ((2 * overlap + 1) / (p.sum((1, 2)) + m.sum((1, 2)) + 1)).mean()


model = UNet()
train_loader = DataLoader(Cells(), batch_size=8, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=60)
class_weights = torch.tensor([0.4, 1.0])

with parity.doctor(model, optimizer) as d:
    for epoch in range(3):
        model.train()
        for images, masks in d.watch(train_loader):
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, masks, weight=class_weights) + dice_loss(logits, masks)
            loss.backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        with torch.no_grad():
            iou = (model(images).argmax(1) == masks).float().mean().item()
print(d)
