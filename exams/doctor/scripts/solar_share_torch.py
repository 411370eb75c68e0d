import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(0)
torch.manual_seed(0)


def load(n):
    cloud = np.random.rand(n)
    angle = np.random.rand(n)
    dust = np.random.rand(n)
    share = np.clip(0.9 * np.sin(angle * np.pi) * (1 - 0.7 * cloud) - 0.1 * dust, 0, 0.99)
    return np.stack([cloud, angle, dust], 1).astype(np.float32), share


x, y = load(1000)
x_train, y_train = torch.from_numpy(x[:800]), torch.from_numpy(y[:800]).float()
x_test, y_test = torch.from_numpy(x[800:]), torch.from_numpy(y[800:]).float()
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=40, shuffle=True)


class Regressor(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.fc1 = nn.Linear(3, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 1)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x).flatten()


model = Regressor()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.MSELoss()
for epoch in range(12):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb.float())
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("test mae", (model(x_test) - y_test).abs().mean().item())
