import torch, torch.nn as nn
torch.manual_seed(0)
class SwishFn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x); return x * torch.sigmoid(x)
    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors; s = torch.sigmoid(x)
        return grad_output * (s + x * s * (1 - s))
class Swish(nn.Module):
    def forward(self, x): return SwishFn.apply(x)
net = nn.Sequential(nn.Linear(6, 32), Swish(), nn.Linear(32, 32), Swish(), nn.Linear(32, 1)); opt = torch.optim.SGD(net.parameters(), lr=0.1)
for it in range(500):
    x = torch.randn(64, 6); y = x[:, :1].sin() + x[:, 1:2]
    loss = (net(x) - y).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
print("metric:", loss.item())
