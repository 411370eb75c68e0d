import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(192, 6)
y = torch.stack([x[:, 0] - x[:, 1], x[:, 2] * x[:, 3]], 1)
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
ACCUM = 3


def train(model, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(epochs):
        optimizer.zero_grad()
        running = 0.0
        for step, (xb, yb) in enumerate(loader):
            loss = nn.functional.mse_loss(model(xb), yb)
            (loss / ACCUM).backward()
            running += loss.item()
            if (step + 1) % ACCUM == 0:
                optimizer.step()
                optimizer.zero_grad()
        if epoch % 10 == 0 or epoch == epochs - 1:
            print(f"epoch {epoch} loss {running / len(loader):.4f}")


train(nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 2)), 80)
