import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
meta = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
outer = torch.optim.Adam(meta.parameters(), lr=3e-3)


def task():
    amp, ph = 0.5 + 2 * torch.rand(1), 0.5 * math.pi * torch.rand(1)
    def draw(n):
        x = torch.rand(n, 1) * 6 - 3
        return x, amp * torch.sin(x + ph)
    return draw


def adapt(draw, steps=2, lr=0.02):
    fast = copy.deepcopy(meta)
    inner = torch.optim.SGD(fast.parameters(), lr=lr)
    for _ in range(steps):
        x, y = draw(10)
        inner.zero_grad()
        F.mse_loss(fast(x), y).backward()
        inner.step()
    return fast


history = []
for it in range(100):
    outer.zero_grad()
    total = 0.0
    for _ in range(4):
        draw = task()
        fast = adapt(draw)
        x, y = draw(10)
        loss = F.mse_loss(fast(x), y)
        grads = torch.autograd.grad(loss, fast.parameters())
        for p, g in zip(meta.parameters(), grads):
            p.grad = g / 4 if p.grad is None else p.grad + g / 4
        total += loss.item() / 4
    outer.step()
    history.append(total)
    if it % 10 == 9:
        print(f"meta-iter {it + 1} query loss {sum(history[-10:]) / 10:.4f}")
