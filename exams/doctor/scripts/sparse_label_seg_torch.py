import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
IGN = 255


def scenes(n, s=20):
    img = 0.2 * rng.randn(n, 1, s, s)
    full = np.zeros((n, s, s), dtype="int64")
    for k in range(n):
        r, c, h = rng.randint(2, 9), rng.randint(2, 9), rng.randint(5, 9)
        img[k, 0, r:r + h, c:c + h] += 1
        full[k, r:r + h, c:c + h] = 1
    keep = rng.rand(n, s, s) < 0.04
    weak = np.where(keep, full, IGN)
    return torch.tensor(img, dtype=torch.float32), torch.from_numpy(weak), torch.from_numpy(full)


net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
    nn.Conv2d(16, 16, 3, padding=2, dilation=2), nn.ReLU(),
    nn.Conv2d(16, 2, 1),
)
ce = nn.CrossEntropyLoss(ignore_index=IGN)


def dice(logits, target):
    valid = (target != IGN).float()
    p = logits.softmax(1)[:, 1] * valid
    t = (target == 1).float()
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


x, weak, _ = scenes(120)
xv, _, full = scenes(40)
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(1, 13):
    tot = 0.0
    for idx in torch.randperm(120).split(12):
        out = net(x[idx])
        loss = ce(out, weak[idx]) + 0.5 * dice(out, weak[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() / 10
    if epoch % 3 == 0 or epoch == 1:
        with torch.no_grad():
            p = net(xv).argmax(1)
        iou = ((p == 1) & (full == 1)).sum().item() / max(1, ((p == 1) | (full == 1)).sum().item())
        print(f"epoch {epoch} loss {tot:.3f} full-mask IoU {iou:.3f}")
