import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import Optimizer


class SignMomentum(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["m"] = torch.zeros_like(p)
                m = state["m"]
                update = (b1 * m + (1 - b1) * p.grad).sign_()
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


torch.manual_seed(0)
X = torch.randn(2000, 12)
y = ((X[:, :4] ** 2).sum(1) > (X[:, 4:8] ** 2).sum(1)).long()
net = nn.Sequential(nn.Linear(12, 96), nn.ReLU(), nn.LayerNorm(96), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 2))
opt = SignMomentum(net.parameters(), lr=1e-3, weight_decay=0.1)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 50) * (0.998 ** s))
for epoch in range(1, 16):
    tot = 0.0
    for idx in torch.randperm(1600).split(64):
        loss = F.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        tot += loss.item() / 25
    if epoch % 3 == 0 or epoch == 1:
        with torch.no_grad():
            acc = (net(X[1600:]).argmax(1) == y[1600:]).float().mean().item()
        print(f"epoch {epoch} loss {tot:.3f} acc {acc:.3f} lr {sched.get_last_lr()[0]:.2e}")
