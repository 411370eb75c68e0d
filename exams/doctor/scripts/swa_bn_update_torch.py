import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(1000, 12) * 4 + 3
y = (x[:, 0] + x[:, 1] > 6).long() + (x[:, 2] > 3).long()
loader = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
model = nn.Sequential(nn.Linear(12, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(),
                      nn.Linear(64, 3))
swa_model = AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
swa_scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
for epoch in range(16):
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch >= 8:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    print("epoch", epoch, "loss", total / len(loader))
update_bn(loader, swa_model)
swa_model.eval()
with torch.no_grad():
    print("accuracy of the average", (swa_model(x[800:]).argmax(1) == y[800:]).float().mean().item())
