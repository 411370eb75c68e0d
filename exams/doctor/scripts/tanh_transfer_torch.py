import copy
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = nn.Linear(24, 64), nn.Linear(64, 32)

    def forward(self, x):
        return torch.relu(self.l2(torch.relu(self.l1(x))))


W = torch.randn(24, 8)
Xs = torch.randn(2000, 24)
ys = torch.tanh(Xs @ W)
backbone = Backbone()
pre_head = nn.Linear(32, 8)
opt = torch.optim.Adam([*backbone.parameters(), *pre_head.parameters()], lr=3e-3)
for _ in range(6):
    for idx in torch.randperm(2000).split(50):
        loss = F.mse_loss(pre_head(backbone(Xs[idx])), ys[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
print(f"pretraining mse {loss.item():.3f}")

for param in backbone.parameters():
    param.requires_grad = False
before = copy.deepcopy(backbone.state_dict())

Xf = torch.randn(40, 24)
yf = (torch.tanh(Xf @ W).sum(1) > 0).long()
Xt = torch.randn(1000, 24)
yt = (torch.tanh(Xt @ W).sum(1) > 0).long()
head = nn.Linear(32, 2)
opt = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=0.3, momentum=0.9)
for epoch in range(1, 101):
    loss = F.cross_entropy(head(backbone(Xf)), yf)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 20 == 0:
        with torch.no_grad():
            acc = (head(backbone(Xt)).argmax(1) == yt).float().mean().item()
            drift = sum((v - before[k]).abs().sum().item() for k, v in backbone.state_dict().items())
        print(f"epoch {epoch} loss {loss.item():.3f} test acc {acc:.3f} backbone drift {drift:.3f}")
