import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)


def noisy(n):
    x = rng.randn(n, 25)
    y = (x[:, :3].sum(1) > 0).astype("int64")
    flip = rng.rand(n) < 0.2
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(np.where(flip, 1 - y, y))


x_tr, y_tr = noisy(150)
x_va, y_va = noisy(600)
net = nn.Sequential(nn.Linear(25, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)


def val_loss():
    net.eval()
    with torch.no_grad():
        v = F.cross_entropy(net(x_va), y_va).item()
    net.train()
    return v


best, best_epoch, best_state, patience, wait = float("inf"), 0, None, 25, 0
for epoch in range(1, 121):
    for idx in torch.randperm(150).split(30):
        loss = F.cross_entropy(net(x_tr[idx]), y_tr[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    v = val_loss()
    if v < best:
        best, best_epoch, wait = v, epoch, 0
        best_state = copy.deepcopy(net.state_dict())
    else:
        wait += 1
    if epoch % 5 == 0:
        print(f"epoch {epoch} train {loss.item():.3f} val {v:.3f}")
    if wait >= patience:
        break

net.load_state_dict(best_state)
print(f"best val {best:.4f} at epoch {best_epoch}, val after restoring {val_loss():.4f}")
