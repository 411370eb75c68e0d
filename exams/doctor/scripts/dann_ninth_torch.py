import math, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class Rev(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a): ctx.a = a; return x.view_as(x)
    @staticmethod
    def backward(ctx, g): return -ctx.a * g, None
f, c, d = nn.Sequential(nn.Linear(10, 32), nn.ReLU()), nn.Linear(32, 3), nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1)); opt = torch.optim.Adam([*f.parameters(), *c.parameters(), *d.parameters()], 2e-3); mu = 2 * torch.randn(3, 10)
for it in range(120):
    a = 2 / (1 + math.exp(-10 * it / 120)) - 1; y = torch.randint(0, 3, (32,)); s = f(mu[y] + torch.randn(32, 10)); t = f(mu[torch.randint(0, 3, (32,))] + torch.randn(32, 10) + 0.7)
    dom = d(Rev.apply(torch.cat([s, t]), a)).squeeze(1); loss = F.cross_entropy(c(s), y) + F.binary_cross_entropy_with_logits(dom, torch.cat([torch.zeros(32), torch.ones(32)]))
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, loss.item())
