"""Bayes by backprop: sampled weights, KL term, full-batch data without a loader, closure-style step, MC prediction."""
import math
import torch
from torch import nn
import torch.nn.functional as F
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
STEPS = 20


class BayesLinear(nn.Module):
    def __init__(self, n_in, n_out, prior=1.0):
        super().__init__()
        self.mu_w = nn.Parameter(torch.empty(n_out, n_in).normal_(0, 1 / math.sqrt(n_in)))
        self.rho_w = nn.Parameter(torch.full((n_out, n_in), -4.0))
        self.mu_b = nn.Parameter(torch.zeros(n_out))
        self.rho_b = nn.Parameter(torch.full((n_out,), -4.0))
        self.prior = torch.distributions.Normal(0.0, prior)

    def forward(self, x):
        qw = torch.distributions.Normal(self.mu_w, F.softplus(self.rho_w))
        qb = torch.distributions.Normal(self.mu_b, F.softplus(self.rho_b))
        self.kl = torch.distributions.kl_divergence(qw, self.prior).sum() + torch.distributions.kl_divergence(qb, self.prior).sum()
        return F.linear(x, qw.rsample(), qb.rsample())


class BayesNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2, self.l3 = BayesLinear(1, 32), BayesLinear(32, 32), BayesLinear(32, 1)
        self.log_noise = nn.Parameter(torch.tensor(-1.0))

    def forward(self, x):
        return self.l3(torch.tanh(self.l2(torch.tanh(self.l1(x))))).squeeze(-1)

    def kl(self):
        return sum(m.kl for m in self.modules() if isinstance(m, BayesLinear))


g = torch.Generator().manual_seed(4)
x = torch.rand(200, 1, generator=g) * 4 - 2
y = torch.sin(2.5 * x[:, 0]) + 0.1 * torch.randn(200, generator=g)
net = BayesNet()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.9, 0.99))
history = []

with parity.doctor(net, optimizer) as d:
    for step in range(STEPS):
        optimizer.zero_grad()
        nll = 0.0
        for _ in range(2):
            prediction = net(x)
            nll = nll - torch.distributions.Normal(prediction, net.log_noise.exp()).log_prob(y).sum() / 2
        loss = nll + 0.1 * net.kl()
        loss.backward()
        optimizer.step()
        history.append(loss.item() / len(x))
with torch.no_grad():
    draws = torch.stack([net(x) for _ in range(10)])
print("spread", draws.std(0).mean().item())
print(d)
