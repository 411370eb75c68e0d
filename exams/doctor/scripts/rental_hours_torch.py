import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
rng = np.random.default_rng(0)


class BikeRentals(Dataset):
    """Rentals by hour of the day, temperature and whether it is a holiday, as a share of the day's top."""

    def __init__(self, n):
        hour = rng.uniform(0, 24, n)
        temp = rng.normal(15, 8, n)
        holiday = rng.integers(0, 2, n)
        rate = 0.5 + 0.3 * np.sin(hour / 24 * 2 * np.pi) + 0.01 * (temp - 15) - 0.1 * holiday
        self.x = torch.from_numpy(np.stack([hour / 12 - 1, (temp - 15) / 8, holiday], 1)).float()
        self.y = torch.from_numpy(rate).float()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


loader = DataLoader(BikeRentals(800), batch_size=32, shuffle=True)
test = BikeRentals(200)
model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.MSELoss()
for epoch in range(15):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} loss {total / len(loader):.5f}")
with torch.no_grad():
    print("test rmse", ((model(test.x)[:, 0] - test.y) ** 2).mean().sqrt().item())
