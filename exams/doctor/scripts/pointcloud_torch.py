"""PointNet on synthetic solids; batches are dictionaries, T-Net with orthogonality penalty, one-cycle."""
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
EPOCHS = 3


class Solids(Dataset):
    def __init__(self, n=128, points=48):
        g = torch.Generator().manual_seed(1)
        self.items = []
        for i in range(n):
            p = torch.randn(points, 3, generator=g)
            kind = i % 3
            if kind == 0:
                p = F.normalize(p, dim=1)
            elif kind == 1:
                p = p / p.abs().amax(1, keepdim=True)
            else:
                p = torch.cat([F.normalize(p[:, :2], dim=1), p[:, 2:].clamp(-1, 1)], 1)
            self.items.append({"points": p, "label": kind})

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class TNet(nn.Module):
    def __init__(self, k=3):
        super().__init__()
        self.k = k
        self.conv = nn.Sequential(nn.Conv1d(k, 32, 1), nn.BatchNorm1d(32), nn.ReLU(), nn.Conv1d(32, 64, 1), nn.ReLU())
        self.fc = nn.Linear(64, k * k)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        h = self.conv(x).max(dim=2).values
        return self.fc(h).view(-1, self.k, self.k) + torch.eye(self.k)


class PointNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.tnet = TNet()
        self.mlp = nn.Sequential(nn.Conv1d(3, 32, 1, bias=False), nn.BatchNorm1d(32), nn.ReLU(),
                                 nn.Conv1d(32, 64, 1, bias=False), nn.BatchNorm1d(64), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, classes))

    def forward(self, points):
        t = self.tnet(points.transpose(1, 2))
        x = torch.bmm(points, t).transpose(1, 2)
        feature = self.mlp(x).max(dim=2).values
        return {"logits": self.head(feature), "transform": t}


loader = DataLoader(Solids(), batch_size=16, shuffle=True, drop_last=True)
net = PointNet()
decay = [p for p in net.parameters() if p.ndim > 1]
rest = [p for p in net.parameters() if p.ndim <= 1]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 1e-2}, {"params": rest, "weight_decay": 0.0}], lr=1e-3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=EPOCHS * len(loader))
history = []
with parity.doctor({"net": net}, {"optimizer": optimizer}) as d:
    for epoch in range(EPOCHS):
        net.train()
        for batch in d.watch(loader):
            out = net(batch["points"])
            t = out["transform"]
            penalty = (torch.bmm(t, t.transpose(1, 2)) - torch.eye(3)).norm(dim=(1, 2)).mean()
            loss = F.cross_entropy(out["logits"], batch["label"], label_smoothing=0.1) + 1e-3 * penalty
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            history.append(loss.item())
print(d)
