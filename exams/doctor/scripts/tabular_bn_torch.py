import torch
import torch.nn as nn

torch.manual_seed(0)
X = torch.randn(2000, 8) * torch.tensor([1.0, 50, 3000, 1e4, 0.1, 10, 200, 5]) + 5000
z = (X - X.mean(0)) / X.std(0)
y = (z[:, 0] + z[:, 1] * z[:, 2] - z[:, 3] > 0).long()

model = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 2))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
crit = nn.CrossEntropyLoss()
for epoch in range(15):
    model.train()
    for idx in torch.randperm(1600).split(64):
        opt.zero_grad()
        loss = crit(model(X[idx]), y[idx])
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        acc = (model(X[1600:]).argmax(1) == y[1600:]).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} val acc {acc:.4f}")
