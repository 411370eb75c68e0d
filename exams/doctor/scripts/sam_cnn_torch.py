import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base = base(self.param_groups, **kw)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def first_step(self):
        norm = torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"] if p.grad is not None]).norm()
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None:
                    continue
                self.state[p]["old"] = p.data.clone()
                p.add_(p.grad * (g["rho"] / (norm + 1e-12)))
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is not None:
                    p.data = self.state[p]["old"]
        self.base.step()
        self.zero_grad()


proto = torch.randn(4, 1, 8, 8)
y = torch.randint(0, 4, (320,))
x = proto[y] + 1.2 * torch.randn(320, 1, 8, 8)
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(128, 4))
opt = SAM(net.parameters(), torch.optim.SGD, rho=0.05, lr=0.05, momentum=0.9)
for epoch in range(10):
    perm, tot = torch.randperm(320), 0.0
    for i in range(0, 320, 40):
        xb, yb = x[perm[i:i + 40]], y[perm[i:i + 40]]
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.first_step()
        F.cross_entropy(net(xb), yb).backward()
        opt.second_step()
        tot += loss.item()
    print(f"epoch {epoch} loss {tot / 8:.4f}")
