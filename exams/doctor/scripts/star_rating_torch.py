import numpy as np
import torch
import torch.nn as nn
from torch.autograd import Variable

torch.manual_seed(0)
rng = np.random.RandomState(0)


def stars(n):
    level = rng.randint(0, 5, n)
    x = rng.randn(n, 10)
    x[:, 0] += level
    x[:, 1] -= 0.5 * level
    return torch.tensor(x, dtype=torch.float32), torch.tensor(level, dtype=torch.float32)


class RatingNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 5))

    def forward(self, x):
        return torch.softmax(self.fc(x), dim=1)


levels = torch.arange(5.0)
model = RatingNet()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
x, y = stars(1000)
xv, yv = stars(300)

for epoch in range(1, 31):
    total = 0.0
    for idx in torch.randperm(1000).split(100):
        probs = model(x[idx])
        pred = probs @ levels
        loss = criterion(pred, y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 6 == 0:
        with torch.no_grad():
            mae = (model(xv) @ levels - yv).abs().mean().item()
        print(f"epoch {epoch} mse {total / 10:.3f} val mae {mae:.3f}")
