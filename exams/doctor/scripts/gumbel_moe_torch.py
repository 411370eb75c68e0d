import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)


class MoE(nn.Module):
    def __init__(self, d=6, n=4):
        super().__init__()
        self.gate = nn.Linear(d, n)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(d, 24), nn.ReLU(), nn.Linear(24, 1)) for _ in range(n)])
        self.register_buffer("usage", torch.zeros(n))

    def forward(self, x):
        logits = self.gate(x)
        if self.training:
            w = F.gumbel_softmax(logits, tau=1.0, hard=True)
        else:
            w = F.one_hot(logits.argmax(1), logits.size(1)).float()
        with torch.no_grad():
            self.usage.mul_(0.9).add_(w.sum(0), alpha=0.1)
        out = torch.cat([e(x) for e in self.experts], 1)
        balance = F.softmax(logits, 1).mean(0)
        return (w * out).sum(1), (balance * balance.log()).sum()


def target(x):
    return torch.where(x[:, 0] > 0, torch.where(x[:, 1] > 0, 2 * x[:, 2], -2 * x[:, 3]), torch.where(x[:, 1] > 0, x[:, 4] * 2, x[:, 5] - 1))


net = MoE()
opt = torch.optim.Adam(net.parameters(), 5e-3)
xv = torch.randn(1000, 6)
for step in range(700):
    net.train()
    x = torch.randn(128, 6)
    y, aux = net(x)
    loss = F.mse_loss(y, target(x)) + 0.02 * aux
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 140 == 139:
        net.eval()
        with torch.no_grad():
            print("step", step + 1, "val mse", round(F.mse_loss(net(xv)[0], target(xv)).item(), 4))
