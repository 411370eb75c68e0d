import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kw): super().__init__(params, dict(rho=rho, **kw)); self.base = base(self.param_groups, **kw); self.param_groups = self.base.param_groups
    @torch.no_grad()
    def first_step(self):
        norm = torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"]]).norm()
        for g in self.param_groups:
            for p in g["params"]: e = p.grad * g["rho"] / (norm + 1e-12); p.add_(e); self.state[p]["e"] = e
        self.zero_grad()
    @torch.no_grad()
    def second_step(self):
        for g in self.param_groups:
            for p in g["params"]: p.sub_(self.state[p]["e"])
        self.base.step(); self.zero_grad()
    def step(self, closure=None): raise NotImplementedError
net = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3)); opt = SAM(net.parameters(), torch.optim.SGD, lr=0.05, momentum=0.9); avg = torch.optim.swa_utils.AveragedModel(net); w = torch.randn(10, 3)
X = torch.randn(400, 10); Y = (X @ w).argmax(1); loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), 40, shuffle=True)
for e in range(8):
    for x, y in loader:
        F.cross_entropy(net(x), y).backward(); opt.first_step(); loss = F.cross_entropy(net(x), y); loss.backward(); opt.second_step()
    if e > 3: avg.update_parameters(net)
    print(e, loss.item())
torch.optim.swa_utils.update_bn(loader, avg); avg.eval(); print((avg(X).argmax(1) == Y).float().mean().item())
