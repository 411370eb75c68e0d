"""A hypernetwork: from the context of a task it writes the weights of a small regression net."""
import torch
from torch import nn
from torch.func import functional_call
import parity

torch.manual_seed(5)
torch.set_num_threads(1)
STEPS = 20


def tasks(n_tasks=24, points=16):
    amp = torch.rand(n_tasks, 1, 1) * 2 + 0.5
    shift = torch.rand(n_tasks, 1, 1) * 3
    x = torch.rand(n_tasks, points, 1) * 4 - 2
    return torch.cat([amp, shift], -1).squeeze(1), x, amp * torch.sin(x + shift)


class Target(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(1, 12)
        self.out = nn.Linear(12, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


class HyperNet(nn.Module):
    def __init__(self, shapes):
        super().__init__()
        self.shapes = shapes
        self.trunk = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.heads = nn.ModuleDict({k.replace(".", "_"): nn.Linear(64, s.numel()) for k, s in shapes.items()})

    def forward(self, context):
        h = self.trunk(context)
        return {k: self.heads[k.replace(".", "_")](h).reshape(s) for k, s in self.shapes.items()}


with torch.device("meta"):
    target = Target()                     # only its shape is used: it owns no weights
hyper = HyperNet({k: p.shape for k, p in target.named_parameters()})
optimizer = torch.optim.Adam(hyper.parameters(), lr=1e-3)
with parity.doctor(hyper, optimizer) as d:
    for step in range(STEPS):
        d.mark()
        contexts, xs, ys = tasks()
        optimizer.zero_grad()
        loss = 0.0
        for context, x, y in zip(contexts, xs, ys):
            weights = hyper(context)
            pred = functional_call(target, weights, (x,))
            loss = loss + ((pred - y) ** 2).mean()
        loss = loss / len(contexts)
        loss.backward()
        optimizer.step()
        print(step, float(loss))
print(d)
