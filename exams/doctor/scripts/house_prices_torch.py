import numpy as np
import torch
from torch import nn

torch.manual_seed(1)
np.random.seed(1)
n = 800
feats = np.random.randn(n, 6).astype("float32")
price = 2.0 * feats[:, 0] - 1.5 * feats[:, 1] + feats[:, 2] * feats[:, 3] + 0.1 * np.random.randn(n)
price = (price - price.mean()) / price.std()

X = torch.tensor(feats)
y = torch.tensor(price, dtype=torch.float32)
X_train, X_test = X[:640], X[640:]
y_train, y_test = y[:640], y[640:]

model = nn.Sequential(
    nn.Linear(6, 64),
    nn.ReLU(),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 1),
)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)


def rmse_loss(pred, target):
    return torch.sqrt(torch.mean((pred - target) ** 2) + 1e-8)


batch_size = 64
for epoch in range(40):
    perm = torch.randperm(len(X_train))
    epoch_loss = 0.0
    for i in range(0, len(perm), batch_size):
        idx = perm[i:i + batch_size]
        pred = model(X_train[idx])
        loss = rmse_loss(pred.squeeze(1), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    if epoch % 10 == 9:
        with torch.no_grad():
            p = model(X_test).squeeze(1)
            r2 = 1 - ((p - y_test) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
        print(f"epoch {epoch + 1} train {epoch_loss:.3f} test R2 {r2.item():.3f}")
