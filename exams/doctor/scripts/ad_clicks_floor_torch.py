import torch
from torch import nn

torch.manual_seed(0)
# clicks at 8 %: even the true rates have a log loss of 0.26, so the curve is flat after the first epoch
user = torch.randn(6000, 6)
rate = torch.sigmoid(-2.8 + 0.6 * user[:, 0] - 0.4 * user[:, 1])
click = torch.bernoulli(rate)
model = nn.Linear(6, 1)
nn.init.zeros_(model.weight)
nn.init.constant_(model.bias, -2.4)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
bce = nn.BCEWithLogitsLoss()
for epoch in range(6):
    total = 0.0
    for i in torch.randperm(5000).split(100):
        loss = bce(model(user[i]).squeeze(1), click[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print("epoch", epoch, "log loss", total / 50)
with torch.no_grad():
    p = torch.sigmoid(model(user[5000:]).squeeze(1))
print("test log loss", nn.functional.binary_cross_entropy(p, click[5000:]).item(), "of the true rates",
      nn.functional.binary_cross_entropy(rate[5000:], click[5000:]).item(), "weights", model.weight.tolist())
