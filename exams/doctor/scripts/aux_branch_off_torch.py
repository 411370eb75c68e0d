import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(6, 1, 12, 12)


def images(n):
    y = rng.randint(0, 6, n)
    return torch.tensor(proto[y] + 1.8 * rng.randn(n, 1, 12, 12), dtype=torch.float32), torch.from_numpy(y)


class AuxNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.s1 = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2))
        self.s2 = nn.Sequential(nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2))
        self.aux = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(48, 6))
        self.fc = nn.Linear(24 * 9, 6)
        self.use_aux = True

    def forward(self, x):
        a = self.s1(x)
        out = self.fc(self.s2(a).flatten(1))
        if self.training and self.use_aux:
            return out, self.aux(a)
        return out, None


net = AuxNet()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.0)
x, y = images(500)
xv, yv = images(300)
for epoch in range(1, 11):
    net.train()
    net.use_aux = epoch <= 4
    tot = 0.0
    for idx in torch.randperm(500).split(25):
        out, aux = net(x[idx])
        loss = F.cross_entropy(out, y[idx])
        if aux is not None:
            loss = loss + 0.3 * F.cross_entropy(aux, y[idx])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        tot += loss.item() / 20
    net.eval()
    with torch.no_grad():
        acc = (net(xv)[0].argmax(1) == yv).float().mean().item()
    if epoch % 2 == 0 or epoch == 1:
        print(f"epoch {epoch} aux {net.use_aux} loss {tot:.3f} acc {acc:.3f}")
