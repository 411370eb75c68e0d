import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(1130, 16)
y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).float()
loader = DataLoader(TensorDataset(X[:930], y[:930]), batch_size=12, shuffle=True)
model = nn.Sequential(nn.Linear(16, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
crit = nn.BCEWithLogitsLoss(reduction="sum")
opt = torch.optim.Adam(model.parameters(), lr=4e-3)
EVERY = 4


def flush(count):
    for p in model.parameters():
        p.grad.div_(count)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    opt.step()
    opt.zero_grad()


opt.zero_grad()
for epoch in range(1, 41):
    seen, total = 0, 0.0
    for k, (xb, yb) in enumerate(loader, 1):
        loss = crit(model(xb).squeeze(1), yb)
        loss.backward()
        total += loss.item()
        seen += len(xb)
        if k % EVERY == 0:
            flush(seen)
            seen = 0
    if seen:
        flush(seen)
    if epoch % 8 == 0 or epoch == 1:
        with torch.no_grad():
            acc = ((model(X[930:]).squeeze(1) > 0).float() == y[930:]).float().mean().item()
        print(f"epoch {epoch} loss {total / 930:.4f} acc {acc:.3f}")
