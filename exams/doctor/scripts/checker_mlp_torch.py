import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)


def checkerboard(n):
    p = rng.uniform(-2, 2, (n, 2))
    lab = ((np.floor(p[:, 0]) + np.floor(p[:, 1])) % 2).astype("float32")
    return torch.tensor(p, dtype=torch.float32), torch.from_numpy(lab)


class MLP(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.fc1 = nn.Linear(2, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, 1)
        self.apply(self.init_weights)

    def init_weights(self, m):
        if isinstance(m, nn.Linear):
            nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
            nn.init.zeros_(m.bias)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x).squeeze(-1)


x, y = checkerboard(1500)
xv, yv = checkerboard(500)
net = MLP()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(1, 31):
    total = 0.0
    for idx in torch.randperm(1500).split(75):
        loss = criterion(net(x[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 6 == 0:
        with torch.no_grad():
            acc = ((net(xv) > 0).float() == yv).float().mean().item()
        print(f"epoch {epoch} loss {total / 20:.3f} val acc {acc:.3f}")
