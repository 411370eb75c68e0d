import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x.sign()
    @staticmethod
    def backward(ctx, g): x, = ctx.saved_tensors; return g * (x.abs() <= 1)
class BinLinear(nn.Linear):
    def forward(self, x): return F.linear(x, Sign.apply(self.weight), self.bias)
net = nn.Sequential(BinLinear(12, 64), nn.BatchNorm1d(64), nn.Hardtanh(), BinLinear(64, 64), nn.BatchNorm1d(64), nn.Hardtanh(), nn.Linear(64, 3)); opt = torch.optim.Adam(net.parameters(), 5e-3); w = torch.randn(12, 3)
for it in range(120):
    x = torch.randn(64, 12); loss = F.cross_entropy(net(x), (x @ w).argmax(1)); opt.zero_grad(); loss.backward(); opt.step()
    for mod in net:
        if isinstance(mod, BinLinear): mod.weight.data.clamp_(-1, 1)
    if it % 30 == 0: print(it, loss.item())
