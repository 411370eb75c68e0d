import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
area = rng.uniform(500, 2500, 400)
rooms = rng.uniform(100, 900, 400)
price = 0.9 * area + 1.7 * rooms + rng.randn(400) * 40
X = torch.tensor(np.stack([area, rooms], 1), dtype=torch.float32)
y = torch.tensor(price, dtype=torch.float32)[:, None]
X_train, X_test, y_train, y_test = X[:320], X[320:], y[:320], y[320:]

model = nn.Linear(2, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-7)

for epoch in range(1, 41):
    for idx in torch.randperm(320).split(16):
        loss = criterion(model(X_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 8 == 0 or epoch == 1:
        with torch.no_grad():
            pred = model(X_test)
            rmse = criterion(pred, y_test).sqrt().item()
            r2 = 1 - ((pred - y_test) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
        w = [round(v, 3) for v in model.weight[0].tolist()]
        print(f"epoch {epoch} rmse {rmse:.1f} R2 {r2.item():.4f} weights {w}")
