import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call

torch.manual_seed(0)
rng = np.random.RandomState(0)


def task():
    w = rng.randn(4, 1) + np.array([[2.0], [-1.0], [0.5], [0.0]])
    b = rng.randn() * 0.5

    def draw(n):
        x = rng.randn(n, 4)
        return (torch.tensor(x, dtype=torch.float32),
                torch.tensor(np.tanh(x @ w + b), dtype=torch.float32))
    return draw


net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
meta = torch.optim.Adam(net.parameters(), lr=3e-3)


def inner(params, x, y, lr=0.1, steps=2, second=True):
    for _ in range(steps):
        loss = F.mse_loss(functional_call(net, params, (x,)), y)
        grads = torch.autograd.grad(loss, tuple(params.values()), create_graph=second)
        params = {k: p - lr * g for (k, p), g in zip(params.items(), grads)}
    return params


def evaluate(n=40):
    out = []
    for _ in range(n):
        draw = task()
        fast = inner(dict(net.named_parameters()), *draw(8), second=False)
        xq, yq = draw(50)
        out.append(F.mse_loss(functional_call(net, fast, (xq,)), yq).item())
    return np.mean(out)


print(f"before: adapted mse {evaluate():.4f}")
for it in range(1, 201):
    total = 0.0
    for _ in range(4):
        draw = task()
        fast = inner(dict(net.named_parameters()), *draw(8))
        xq, yq = draw(16)
        total = total + F.mse_loss(functional_call(net, fast, (xq,)), yq) / 4
    meta.zero_grad()
    total.backward()
    meta.step()
    if it % 50 == 0:
        print(f"it {it} meta loss {total.item():.4f} adapted mse {evaluate():.4f}")
