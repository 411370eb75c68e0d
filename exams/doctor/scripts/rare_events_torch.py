import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
n = 6000
x = torch.randn(n, 8)
y = ((x[:, 0] * x[:, 1] + x[:, 2]) > 2.6).float()
print("positives", int(y.sum()), "of", n)
xt, yt, xv, yv = x[:5000], y[:5000], x[5000:], y[5000:]
weights = torch.where(yt > 0, (yt == 0).sum() / yt.sum(), torch.tensor(1.0))
loader = DataLoader(TensorDataset(xt, yt), batch_size=100, sampler=WeightedRandomSampler(weights, len(yt)))
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.BCEWithLogitsLoss(reduction="sum")
for epoch in range(6):
    tot = 0.0
    for a, b in loader:
        loss = loss_fn(model(a).flatten(), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    with torch.no_grad():
        s = model(xv).flatten()
    rank = s.argsort().argsort().float() + 1
    p = yv.sum()
    auc = (rank[yv > 0].sum() - p * (p + 1) / 2) / (p * (len(yv) - p))
    print(f"epoch {epoch} loss {tot / 5000:.4f} val AUC {auc.item():.4f}")
