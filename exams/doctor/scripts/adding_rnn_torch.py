import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
np.random.seed(0)
STEPS = 12


def adding_problem(n):
    value = np.random.rand(n, STEPS).astype("float32")
    marker = np.zeros((n, STEPS), dtype="float32")
    for i in range(n):
        a = np.random.randint(0, STEPS // 2)
        b = np.random.randint(STEPS // 2, STEPS)
        marker[i, [a, b]] = 1
    total = (value * marker).sum(1, keepdims=True)
    return torch.from_numpy(np.stack([value, marker], 2)), torch.from_numpy(total)


class CellNet(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.GRUCell(2, hidden)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        h = x.new_zeros(x.size(0), self.hidden)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return self.fc(h)


net = CellNet()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
criterion = nn.MSELoss()
x_val, y_val = adding_problem(500)
baseline = y_val.var().item()

for it in range(1, 401):
    xb, yb = adding_problem(64)
    optimizer.zero_grad()
    loss = criterion(net(xb), yb)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    if it % 80 == 0:
        net.eval()
        with torch.no_grad():
            val = criterion(net(x_val), y_val).item()
        net.train()
        print(f"iter {it} train {loss.item():.4f} val {val:.4f} (variance {baseline:.4f})")
