import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.RandomState(0)
t = np.arange(1200)
series = np.sin(2 * np.pi * t / 9) + 0.5 * np.sin(2 * np.pi * t / 23) + 0.05 * rng.randn(len(t))
series = ((series - series.mean()) / series.std()).astype("float32")
WINDOW = 24


def make_windows(values):
    xs, ys = [], []
    for i in range(len(values) - WINDOW):
        xs.append(values[i:i + WINDOW])
        ys.append(values[i + WINDOW])
    return torch.tensor(np.array(xs)).unsqueeze(-1), torch.tensor(np.array(ys)).unsqueeze(-1)


class LSTMModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.linear = nn.Linear(32, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1])


X, Y = make_windows(series[:900])
loader = DataLoader(TensorDataset(X, Y), batch_size=64, shuffle=True)
model = LSTMModel()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
mse = nn.MSELoss()
test = torch.tensor(series[900:])

for epoch in range(1, 11):
    total = 0.0
    for xb, yb in loader:
        loss = mse(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 2 == 0:
        with torch.no_grad():
            w = test.unfold(0, WINDOW, 1)[:-1].unsqueeze(-1)
            err = mse(model(w).squeeze(1), test[WINDOW:]).item()
            naive = mse(test[WINDOW - 1:-1], test[WINDOW:]).item()
        print(f"epoch {epoch} train {total / len(loader):.4f} next-value mse {err:.4f} persistence {naive:.4f}")
