import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
table = rng.normal(size=(1000, 8))
y = table[:, 0] + 2 * (table[:, 1] > 0) - table[:, 2]
table[rng.random(table.shape) < 0.2] = np.nan
table[:, 6] = np.nan                    # was never measured
table[:, 7] = 3.0                       # the same in every row
mean = np.nan_to_num(np.nanmean(table, 0))
std = np.nan_to_num(np.nanstd(table, 0))
std[std == 0] = 1.0
filled = np.where(np.isnan(table), 0.0, (table - mean) / std)
features = torch.tensor(np.concatenate([filled, np.isnan(table)], 1), dtype=torch.float32)
target = torch.tensor(y, dtype=torch.float32).unsqueeze(1)
net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1e-4)
for epoch in range(20):
    for i in torch.randperm(800).split(40):
        loss = nn.functional.mse_loss(net(features[i]), target[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("test mse", nn.functional.mse_loss(net(features[800:]), target[800:]).item(), "variance", target.var().item())
