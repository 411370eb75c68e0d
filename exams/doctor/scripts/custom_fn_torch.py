import torch
import torch.nn as nn
import torch.nn.functional as F


class SignSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, grad_out):
        (x,) = ctx.saved_tensors
        return grad_out * (x.abs() <= 1).float()


class BinLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, SignSTE.apply(self.weight), self.bias) / self.in_features ** 0.5


torch.manual_seed(0)
x = torch.randn(2400, 16)
y = (x[:, 0] * x[:, 1] + x[:, 2:6].sum(1) > 0).long()
net = nn.Sequential(BinLinear(16, 128), nn.BatchNorm1d(128), nn.ReLU(), BinLinear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(15):
    net.train()
    for idx in torch.randperm(2000).split(100):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
        with torch.no_grad():
            for m in net:
                if isinstance(m, BinLinear):
                    m.weight.clamp_(-1, 1)
    if epoch % 5 == 4:
        net.eval()
        acc = (net(x[2000:]).argmax(1) == y[2000:]).float().mean().item()
        print("epoch", epoch + 1, "loss", round(loss.item(), 4), "acc", round(acc, 4))
