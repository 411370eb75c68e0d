import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)


def shapes(n, s=16):
    img = 0.3 * rng.randn(n, 1, s, s)
    lab = rng.randint(0, 4, n)
    for k, c in enumerate(lab):
        r, q = rng.randint(2, 8, 2)
        if c == 0:
            img[k, 0, r:r + 6, q:q + 6] += 1
        elif c == 1:
            img[k, 0, r:r + 6, q] += 1.5
        elif c == 2:
            img[k, 0, r, q:q + 6] += 1.5
        else:
            img[k, 0][np.arange(r, r + 6), np.arange(q, q + 6)] += 1.5
    return torch.tensor(img, dtype=torch.float32), torch.from_numpy(lab)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.down = nn.Sequential(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU())
        self.fc = nn.Linear(32, 4)

    def forward(self, x):
        return self.fc(self.down(self.stem(x)).amax(dim=(2, 3)))


x, y = shapes(512)
xv, yv = shapes(256)
net = Net().to(memory_format=torch.channels_last)
opt = torch.optim.AdamW(net.parameters(), lr=4e-3)
for epoch in range(1, 11):
    net.train()
    tot = 0.0
    for idx in torch.randperm(512).split(32):
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
            out = net(x[idx].to(memory_format=torch.channels_last))
        loss = F.cross_entropy(out.float(), y[idx])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        tot += loss.item() / 16
    if epoch % 3 == 1:
        net.eval()
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            acc = (net(xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} loss {tot:.3f} acc {acc:.3f}")
