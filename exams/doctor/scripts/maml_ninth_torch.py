import torch, torch.nn as nn
from torch.func import functional_call
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)); opt = torch.optim.Adam(net.parameters(), 1e-3)
def task(): a, p = 0.5 + 4 * torch.rand(1), 3.14 * torch.rand(1); return lambda x: a * torch.sin(x + p)
for it in range(60):
    meta = 0.0
    for _ in range(4):
        f = task(); xs, xq = 10 * torch.rand(10, 1) - 5, 10 * torch.rand(10, 1) - 5
        params = dict(net.named_parameters())
        inner = (functional_call(net, params, (xs,)) - f(xs)).pow(2).mean()
        grads = torch.autograd.grad(inner, list(params.values()), create_graph=True)
        fast = {k: v - 0.01 * g for (k, v), g in zip(params.items(), grads)}
        meta = meta + (functional_call(net, fast, (xq,)) - f(xq)).pow(2).mean()
    opt.zero_grad(); (meta / 4).backward(); opt.step()
    if it % 15 == 0: print(it, meta.item() / 4)
