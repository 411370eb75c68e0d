import copy
import math

import torch
import torch.nn as nn

torch.manual_seed(0)


def task():
    amp, ph = 0.5 + 2 * torch.rand(()), math.pi * torch.rand(())
    return lambda x: amp * torch.sin(x + ph)


meta = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))


def adapt(net, f, steps, lr=0.02):
    x = torch.rand(10, 1) * 8 - 4
    for _ in range(steps):
        loss = ((net(x) - f(x)) ** 2).mean()
        net.zero_grad()
        loss.backward()
        for p in net.parameters():
            p.data.sub_(lr * p.grad.data)
    return loss.item()


def evaluate(n=30):
    grid, tot = torch.linspace(-4, 4, 60).view(-1, 1), 0.0
    state = torch.get_rng_state()
    torch.manual_seed(99)
    for _ in range(n):
        f, net = task(), copy.deepcopy(meta)
        adapt(net, f, 16)
        with torch.no_grad():
            tot += ((net(grid) - f(grid)) ** 2).mean().item()
    torch.set_rng_state(state)
    return tot / n


iters = 900
print("before", round(evaluate(), 4))
for it in range(iters):
    inner = copy.deepcopy(meta)
    adapt(inner, task(), 8)
    eps = 0.5 * (1 - it / iters)
    for p, q in zip(meta.parameters(), inner.parameters()):
        p.data.add_(eps * (q.data - p.data))
    if it % 300 == 299:
        print("iteration", it + 1, "adapted mse", round(evaluate(), 4))
