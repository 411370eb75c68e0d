import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class BinarySign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        ctx.save_for_backward(w)
        return torch.where(w >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        (w,) = ctx.saved_tensors
        return g * (w.abs() <= 1).float()


class BinLinear(nn.Linear):
    def forward(self, x):
        scale = self.weight.detach().abs().mean(1)
        return F.linear(x, BinarySign.apply(self.weight)) * scale + self.bias


net = nn.Sequential(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU(),
                    BinLinear(128, 128), nn.BatchNorm1d(128), nn.ReLU(),
                    BinLinear(128, 5))
X = torch.randn(2500, 16)
y = (X.abs() @ torch.randn(16, 5)).argmax(1)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, [8, 12], gamma=0.3)
for epoch in range(1, 16):
    net.train()
    tot = 0.0
    for idx in torch.randperm(2000).split(64):
        loss = F.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for m in net:
                if isinstance(m, BinLinear):
                    m.weight.clamp_(-1, 1)
        tot += loss.item()
    sched.step()
    if epoch % 3 == 0 or epoch == 1:
        net.eval()
        with torch.no_grad():
            a = (net(X[2000:]).argmax(1) == y[2000:]).float().mean().item()
        print(f"epoch {epoch} loss {tot / 32:.3f} acc {a:.3f}")
