import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(1024, 20)
y = torch.sin(X[:, :1]) + 0.5 * X[:, 1:2] * X[:, 2:3] + 0.05 * torch.randn(1024, 1)
loader = DataLoader(TensorDataset(X[:896], y[:896]), batch_size=8, shuffle=True)
X_val, y_val = X[896:], y[896:]

model = nn.Sequential(
    nn.Linear(20, 64),
    nn.Tanh(),
    nn.Linear(64, 64),
    nn.Tanh(),
    nn.Linear(64, 1),
)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.08, momentum=0.9)
ACCUM = 16


def validate():
    model.eval()
    with torch.no_grad():
        out = criterion(model(X_val), y_val).item()
    model.train()
    return out


print(f"start val mse {validate():.4f}")
for epoch in range(1, 41):
    optimizer.zero_grad()
    running = 0.0
    for step, (xb, yb) in enumerate(loader, start=1):
        loss = criterion(model(xb), yb)
        running += loss.item()
        (loss / ACCUM).backward()
        if step % ACCUM == 0:
            optimizer.step()
            optimizer.zero_grad()
    if epoch % 8 == 0:
        print(f"epoch {epoch} train mse {running / len(loader):.4f} val mse {validate():.4f}")
