import copy
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
x = rng.uniform(-3, 3, (500, 2))
y = np.sin(2 * x[:, :1]) * np.cos(x[:, 1:]) + 0.1 * rng.randn(500, 1)
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
tr, va, te = slice(0, 300), slice(300, 400), slice(400, 500)
net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
mse = nn.MSELoss()
lr, best, wait = 1e-2, (float("inf"), None), 0
opt = torch.optim.Adam(net.parameters(), lr=lr)
history = []


def score(part):
    net.eval()
    with torch.no_grad():
        v = mse(net(x[part]), y[part]).item()
    net.train()
    return v


for epoch in range(1, 201):
    for idx in torch.randperm(300).split(30):
        opt.zero_grad()
        loss = mse(net(x[tr][idx]), y[tr][idx])
        loss.backward()
        opt.step()
    v = score(va)
    history.append(v)
    if v < best[0] - 1e-4:
        best, wait = (v, copy.deepcopy(net.state_dict())), 0
    else:
        wait += 1
    if wait >= 12:
        lr *= 0.3
        if lr < 5e-4:
            print(f"stop at epoch {epoch}")
            break
        net.load_state_dict(best[1])
        opt = torch.optim.Adam(net.parameters(), lr=lr)
        wait = 0
        print(f"epoch {epoch}: back to best, lr {lr:.1e}")
    if epoch % 30 == 0 or epoch == 1:
        print(f"epoch {epoch} train {loss.item():.4f} val {v:.4f}")
net.load_state_dict(best[1])
print(f"best val {best[0]:.4f} test {score(te):.4f}")
