import torch
import torch.nn as nn
import torch.nn.functional as F


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base_optimizer, rho=0.05, **kwargs):
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        norm = torch.norm(torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"]]))
        for g in self.param_groups:
            for p in g["params"]:
                e = p.grad * (g["rho"] / (norm + 1e-12))
                p.add_(e)
                self.state[p]["e"] = e
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for g in self.param_groups:
            for p in g["params"]:
                p.sub_(self.state[p]["e"])
        self.base_optimizer.step()
        self.zero_grad()


torch.manual_seed(2)
x = torch.randn(2000, 10)
y = ((x[:, :3] ** 2).sum(1) > 2.4).long()
model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9)
for epoch in range(15):
    for idx in torch.randperm(1600).split(64):
        loss = F.cross_entropy(model(x[idx]), y[idx])
        loss.backward()
        optimizer.first_step()
        F.cross_entropy(model(x[idx]), y[idx]).backward()
        optimizer.second_step()
    if epoch % 3 == 2:
        acc = (model(x[1600:]).argmax(1) == y[1600:]).float().mean().item()
        print("epoch", epoch + 1, "loss", round(loss.item(), 4), "acc", round(acc, 4))
