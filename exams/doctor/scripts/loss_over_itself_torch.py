import torch
from torch import nn

torch.manual_seed(0)
# two tasks whose losses differ by a factor of a million: each is divided by its own detached value,
# so the printed total is always 2 and the gradients are those of the logarithms
x = torch.randn(600, 5)
metres = (x[:, :1] * 1500 + 400 * x[:, 1:2] * x[:, 2:3])
share = torch.sigmoid(x[:, 3:4] - x[:, 4:])
trunk = nn.Sequential(nn.Linear(5, 48), nn.Tanh())
far, part = nn.Linear(48, 1), nn.Linear(48, 1)
params = [*trunk.parameters(), *far.parameters(), *part.parameters()]
opt = torch.optim.Adam(params, lr=5e-3)
for epoch in range(80):
    for i in torch.randperm(600).split(60):
        h = trunk(x[i])
        a = nn.functional.mse_loss(far(h) * 1000, metres[i])
        b = nn.functional.mse_loss(part(h), share[i])
        loss = a / a.detach() + b / b.detach()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 0 or epoch == 79:
        print(f"epoch {epoch} loss {loss.item():.3f} metres {a.item() ** 0.5:.1f} share {b.item():.5f}")
