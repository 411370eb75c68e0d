"""MAML for sine regression with torch.func: inner steps on a copy of the parameters."""
import math

import torch
from torch import nn
from torch.func import functional_call

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
TASKS, SHOTS, INNER_STEPS, INNER_LR = 8, 10, 2, 0.05
META_STEPS = 16

net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
meta_optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
loss_fn = nn.MSELoss()


def sample_task():
    amplitude, phase = 0.5 + 2 * torch.rand(1), math.pi * torch.rand(1)

    def draw(n):
        x = torch.empty(n, 1).uniform_(-3, 3)
        return x, amplitude * torch.sin(x + phase)

    return draw(SHOTS), draw(SHOTS)


def adapt(params, x, y):
    for _ in range(INNER_STEPS):
        inner = loss_fn(functional_call(net, params, (x,)), y)
        grads = torch.autograd.grad(inner, list(params.values()), create_graph=True)
        params = {k: v - INNER_LR * g for (k, v), g in zip(params.items(), grads)}
    return params


history = []
with parity.doctor({"net": net}, {"meta": meta_optimizer}) as d:
    for meta_step in range(META_STEPS):
        meta_optimizer.zero_grad()
        total = 0.0
        for _ in range(TASKS):
            (xs, ys), (xq, yq) = sample_task()
            fast = adapt(dict(net.named_parameters()), xs, ys)
            query_loss = loss_fn(functional_call(net, fast, (xq,)), yq)
            (query_loss / TASKS).backward()
            total += query_loss.item() / TASKS
        meta_optimizer.step()
        history.append(total)
print(d)
