"""Matrix factorisation: the factors are updated by hand, the biases by an optimizer. All in nn.Parameters, no layer."""
import torch
from torch import nn
import parity

torch.manual_seed(11)
torch.set_num_threads(1)
SWEEPS = 2
users, items, rank = 60, 40, 4
true = torch.randn(users, rank) @ torch.randn(rank, items) * 0.5 + torch.randn(users, 1) * 0.5 + 3.5
seen = (torch.rand(users, items) < 0.4).nonzero()


class Factors(nn.Module):
    def __init__(self):
        super().__init__()
        self.u = nn.Parameter(torch.randn(users, rank) * 0.3)
        self.v = nn.Parameter(torch.randn(items, rank) * 0.3)
        self.bu = nn.Parameter(torch.zeros(users))
        self.bv = nn.Parameter(torch.zeros(items))
        self.mean = nn.Parameter(torch.tensor(3.0))

    def forward(self, i, j):
        return (self.u[i] * self.v[j]).sum(1) + self.bu[i] + self.bv[j] + self.mean


model = Factors()
optimizer = torch.optim.Adagrad([model.bu, model.bv, model.mean], lr=0.1)
losses = []
with parity.doctor(model, optimizer) as d:
    for sweep in range(SWEEPS):
        for rows in torch.split(seen[torch.randperm(len(seen))], 96):
            d.mark()
            i, j = rows.T
            error = model(i, j) - true[i, j]
            loss = error.square().mean()
            penalty = 0.02 * (model.u[i].square().mean() + model.v[j].square().mean())
            biases = [model.bu, model.bv, model.mean]
            *by_hand, gu, gv = torch.autograd.grad(loss + penalty, biases + [model.u, model.v])
            with torch.no_grad():
                model.u -= 2.0 * gu
                model.v -= 2.0 * gv
            for p, g in zip(biases, by_hand):
                p.grad = g
            optimizer.step()
            losses.append(loss.item())
print(d)
