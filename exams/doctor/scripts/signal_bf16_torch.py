import torch
import torch.nn as nn

torch.manual_seed(0)
t = torch.linspace(0, 60, 3000)
signal = torch.sin(t) + 0.4 * torch.sin(3.1 * t) + 0.05 * torch.randn(3000)
windows = signal.unfold(0, 33, 1)
X, y = windows[:, :32], windows[:, 32:]
Xtr, ytr, Xte, yte = X[:2300], y[:2300], X[2300:], y[2300:]

model = nn.Sequential(
    nn.Linear(32, 64),
    nn.Tanh(),
    nn.Linear(64, 64),
    nn.Tanh(),
    nn.Linear(64, 1),
)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
LOSS_SCALE = 128.0


def train_step(xb, yb):
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(xb)
    loss = criterion(out.float(), yb)
    (loss * LOSS_SCALE).backward()
    for p in model.parameters():
        p.grad.div_(LOSS_SCALE)
    optimizer.step()
    return loss.item()


def test_error():
    with torch.no_grad():
        return criterion(model(Xte), yte).item()


print(f"start test mse {test_error():.4f}, variance {yte.var().item():.4f}")
for epoch in range(1, 16):
    total, count = 0.0, 0
    for idx in torch.randperm(len(Xtr)).split(50):
        total += train_step(Xtr[idx], ytr[idx])
        count += 1
    if epoch % 3 == 0:
        print(f"epoch {epoch} train mse {total / count:.4f} test mse {test_error():.4f}")
