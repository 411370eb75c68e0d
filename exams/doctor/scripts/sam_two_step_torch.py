import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(900, 20)
w = torch.randn(20, 4)
y = (X @ w + 1.0 * torch.randn(900, 4)).argmax(1)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 4))
base = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
RHO = 0.05


@torch.no_grad()
def climb():
    params = [p for p in net.parameters() if p.grad is not None]
    norm = torch.norm(torch.stack([p.grad.norm() for p in params])) + 1e-12
    shift = []
    for p in params:
        e = p.grad * (RHO / norm)
        p.add_(e)
        shift.append((p, e))
    return shift


for epoch in range(1, 26):
    tot = 0.0
    for idx in torch.randperm(600).split(50):
        loss = F.cross_entropy(net(X[idx]), y[idx])
        loss.backward()
        shift = climb()
        base.zero_grad()
        F.cross_entropy(net(X[idx]), y[idx]).backward()
        with torch.no_grad():
            for p, e in shift:
                p.sub_(e)
        base.step()
        base.zero_grad()
        tot += loss.item() / 12
    if epoch % 5 == 0 or epoch == 1:
        with torch.no_grad():
            acc = (net(X[600:]).argmax(1) == y[600:]).float().mean().item()
        print(f"epoch {epoch} loss {tot:.3f} test acc {acc:.3f}")
