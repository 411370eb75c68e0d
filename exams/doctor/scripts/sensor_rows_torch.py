import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.RandomState(0)
scale = np.array([1000.0, 0.01, 50.0, 3.0, 0.2, 700.0])
offset = np.array([5000.0, 0.5, -20.0, 10.0, 1.0, 90.0])
coef = rng.randn(6, 3)


def readings(n):
    z = rng.randn(n, 6)
    lab = (np.tanh(z) @ coef).argmax(1)
    return (z * scale + offset).astype("float32"), lab.astype("int64")


X_train, y_train = readings(1000)
X_val, y_val = readings(400)
mean, std = X_train.mean(0), X_train.std(0)

train_ds = TensorDataset(torch.from_numpy((X_train - mean) / std), torch.from_numpy(y_train))
val_ds = TensorDataset(torch.from_numpy((X_val - mean) / std), torch.from_numpy(y_val))
train_loader = DataLoader(train_ds, batch_size=50, shuffle=True)
val_loader = DataLoader(val_ds, batch_size=200)

model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)


def run(loader, train):
    model.train(train)
    loss_sum, hits, count = 0.0, 0, 0
    with torch.set_grad_enabled(train):
        for xb, yb in loader:
            out = model(xb)
            loss = criterion(out, yb)
            if train:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_sum += loss.item() * len(xb)
            hits += (out.argmax(1) == yb).sum().item()
            count += len(xb)
    return loss_sum / count, hits / count


for epoch in range(1, 16):
    tr = run(train_loader, True)
    va = run(val_loader, False)
    if epoch % 3 == 0:
        print(f"epoch {epoch} train loss {tr[0]:.3f} acc {tr[1]:.3f} | val loss {va[0]:.3f} acc {va[1]:.3f}")
