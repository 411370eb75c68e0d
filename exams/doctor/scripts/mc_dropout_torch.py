import torch
from torch import nn

torch.manual_seed(0)
x = torch.rand(400, 1) * 4 - 2
y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
grid = torch.linspace(-4, 4, 81)[:, None]


@torch.no_grad()
def predict(k=30):
    """Dropout stays on: the spread of the passes is the uncertainty."""
    net.train()
    runs = torch.stack([net(grid) for _ in range(k)])
    return runs.mean(0), runs.std(0)


for epoch in range(80):
    loss = 0.0
    for i in torch.randperm(400).split(50):
        batch_loss = nn.functional.mse_loss(net(x[i]), y[i])
        opt.zero_grad()
        batch_loss.backward()
        opt.step()
        loss += batch_loss.item() / 8
    if epoch % 20 == 19:
        mean, std = predict()
        inside = grid.abs() < 2
        print(f"epoch {epoch} loss {loss:.4f} spread inside {std[inside].mean():.3f} outside {std[~inside].mean():.3f}")
