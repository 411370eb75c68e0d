import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.RandomState(0)


def gather_data(n=1200):
    cls = rng.randint(0, 5, n)
    centers = rng.randn(5, 15)
    x = centers[cls] + 0.8 * rng.randn(n, 15)
    return x.astype("float32"), cls


x, y = gather_data()
perm = rng.permutation(len(x))
x, y = x[perm], y[perm]
n_train = 900
train = TensorDataset(torch.from_numpy(x[:n_train]), torch.from_numpy(y[:n_train]))
valid = TensorDataset(torch.from_numpy(x[n_train:]), torch.from_numpy(y[n_train:]))
train_loader = DataLoader(train, batch_size=45, shuffle=True)
valid_loader = DataLoader(valid, batch_size=100)

model = nn.Sequential(nn.Linear(15, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)

for epoch in range(1, 17):
    model.train()
    train_loss = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        train_loss += loss.item() * len(xb) / n_train
    model.eval()
    with torch.no_grad():
        hit = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in valid_loader)
    if epoch % 4 == 0:
        print(f"epoch {epoch} train loss {train_loss:.3f} valid acc {hit / len(valid):.3f}")
