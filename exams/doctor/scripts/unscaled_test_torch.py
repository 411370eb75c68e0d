import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)


def wines(n):
    kind = rng.integers(0, 3, n)
    alcohol = 12 + kind + rng.normal(0, 0.6, n)
    proline = 400 + 250 * kind + rng.normal(0, 120, n)
    hue = 1.0 - 0.2 * kind + rng.normal(0, 0.12, n)
    return np.stack([alcohol, proline, hue], 1).astype("float32"), kind


class StandardScaler:
    def fit_transform(self, x):
        self.mean, self.std = x.mean(0), x.std(0)
        return self.transform(x)

    def transform(self, x):
        return (x - self.mean) / self.std


x_train, y_train = wines(600)
x_test, y_test = wines(300)
scaler = StandardScaler()
x_train = torch.from_numpy(scaler.fit_transform(x_train))
x_test = torch.from_numpy(scaler.transform(x_test))
y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)
model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(15):
    model.train()
    for i in torch.randperm(600).split(50):
        loss = nn.functional.cross_entropy(model(x_train[i]), y_train[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        out = model(x_test)
        val = nn.functional.cross_entropy(out, y_test).item()
    print(f"epoch {epoch} loss {loss.item():.4f} test loss {val:.4f} acc {(out.argmax(1) == y_test).float().mean():.3f}")
