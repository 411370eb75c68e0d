import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

np.random.seed(7)
torch.manual_seed(7)
N = 3000
income = np.random.lognormal(10, 0.5, N)
age = np.random.uniform(18, 80, N)
debt = income * np.random.beta(2, 5, N)
late = np.random.poisson(1.0, N)
raw = np.stack([income, age, debt, late], 1).astype("float32")
ratio = debt / income
label = ((ratio - 0.28) * 6 + 0.4 * (late - 1) - 0.02 * (age - 49) > 0).astype("float32")


class StandardScaler:
    def fit(self, x):
        self.mean_, self.scale_ = x.mean(0), x.std(0)
        return self

    def transform(self, x):
        return (x - self.mean_) / self.scale_


class CreditDataset(Dataset):
    def __init__(self, x, y):
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


scaler = StandardScaler().fit(raw[:2400])
train_set = CreditDataset(scaler.transform(raw[:2400]), label[:2400])
test_set = CreditDataset(scaler.transform(raw[2400:]), label[2400:])
model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(8):
    model.train()
    good = 0
    for x, y in DataLoader(train_set, batch_size=64, shuffle=True):
        out = model(x).squeeze(1)
        loss = loss_fn(out, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        good += ((out > 0) == (y > 0.5)).sum().item()
    model.eval()
    with torch.no_grad():
        test = sum(((model(x).squeeze(1) > 0) == (y > 0.5)).sum().item() for x, y in DataLoader(test_set, batch_size=200))
    print(f"epoch {epoch} loss {loss.item():.4f} train acc {good / 2400:.4f} test acc {test / 600:.4f}")
