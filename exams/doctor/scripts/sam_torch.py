"""Sharpness-aware minimisation with ordinal regression (CORAL): two backward passes per batch."""
import torch
from torch import nn
import torch.nn.functional as F
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
LEVELS = 5
EPOCHS = 3


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kwargs):
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base = base(self.param_groups, **kwargs)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def climb(self):
        grads = [p.grad for g in self.param_groups for p in g["params"] if p.grad is not None]
        norm = torch.stack([g.norm() for g in grads]).norm()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.state[p]["old"] = p.detach().clone()
                p.add_(p.grad * (group["rho"] / (norm + 1e-12)))
        self.zero_grad()

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if "old" in self.state[p]:
                    p.copy_(self.state[p].pop("old"))
        self.base.step()
        self.zero_grad()


class Coral(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, width), nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.score = nn.Linear(width, 1, bias=False)
        self.cuts = nn.Parameter(torch.linspace(1.0, -1.0, LEVELS - 1))

    def forward(self, x):
        return self.score(self.body(x)) + self.cuts


g = torch.Generator().manual_seed(2)
X = torch.randn(512, 10, generator=g)
latent = X[:, 0] + 0.7 * X[:, 1] * X[:, 2]
Y = torch.bucketize(latent, torch.tensor([-1.0, -0.3, 0.3, 1.0]))

model = Coral()
optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer.base, T_max=EPOCHS * 8)
history = []


def coral_loss(logits, level):
    targets = (level[:, None] > torch.arange(LEVELS - 1)).float()
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1).mean()


with parity.doctor(model, optimizer) as d:
    for epoch in range(EPOCHS):
        order = torch.randperm(len(X))
        for idx in d.watch(order.split(64)):
            x, y = X[idx], Y[idx]
            loss = coral_loss(model(x), y)
            loss.backward()
            optimizer.climb()
            coral_loss(model(x), y).backward()
            optimizer.step()
            scheduler.step()
            history.append(loss.item())
print(d)
