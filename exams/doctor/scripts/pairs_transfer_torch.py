import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(20, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
        self.fc = nn.Linear(48, classes)

    def forward(self, x):
        return self.fc(self.backbone(x))


X = torch.randn(1500, 20)
proj = torch.randn(20, 8)
y_pre = (X @ proj).argmax(1)
y_new = torch.div(y_pre, 2, rounding_mode="floor")
model = Net(8)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(10):
    for idx in torch.randperm(1500).split(50):
        loss = F.cross_entropy(model(X[idx]), y_pre[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
print(f"pretraining loss {loss.item():.3f}")

for p in model.backbone.parameters():
    p.requires_grad = False
model.fc = nn.Linear(48, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(1, 21):
    model.train()
    total = 0.0
    for idx in torch.randperm(1000).split(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[idx]), y_new[idx])
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 4 == 0:
        model.eval()
        with torch.no_grad():
            acc = (model(X[1000:]).argmax(1) == y_new[1000:]).float().mean().item()
        print(f"epoch {epoch} loss {total / 20:.3f} acc {acc:.3f}")
