import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Switch(nn.Module):
    def __init__(self, d, n=6):
        super().__init__()
        self.router = nn.Linear(d, n, bias=False)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, d)) for _ in range(n)])
        self.n = n

    def forward(self, x):
        prob = self.router(x).softmax(-1)
        gate, idx = prob.max(-1)
        out = torch.zeros_like(x)
        for e, expert in enumerate(self.experts):
            sel = (idx == e).nonzero(as_tuple=True)[0]
            if sel.numel() == 0:
                continue
            out = out.index_add(0, sel, gate[sel].unsqueeze(1) * expert(x[sel]))
        frac = F.one_hot(idx, self.n).float().mean(0)
        return x + out, self.n * (frac * prob.mean(0)).sum()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.moe, self.out = nn.Linear(8, 24), Switch(24), nn.Linear(24, 1)

    def forward(self, x):
        h, aux = self.moe(torch.tanh(self.inp(x)))
        return self.out(h), aux


x = torch.randn(1000, 8)
y = torch.where(x[:, :1] > 0, torch.sin(2 * x[:, 1:2]), x[:, 2:3] * x[:, 3:4])
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(180):
    i = torch.randint(0, 1000, (16,))
    pred, aux = net(x[i])
    loss = F.mse_loss(pred, y[i]) + 0.01 * aux
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 18 == 0:
        with torch.no_grad():
            print(f"step {step} batch {loss.item():.4f} full mse {F.mse_loss(net(x)[0], y).item():.4f}")
