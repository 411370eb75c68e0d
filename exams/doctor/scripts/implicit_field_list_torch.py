import torch, torch.nn as nn
torch.manual_seed(0)

class ResMLP(nn.Module):
    def __init__(self, width):
        super().__init__(); self.a, self.b = nn.Linear(width, width), nn.Linear(width, width)
    def forward(self, x): return x + self.b(torch.relu(self.a(x)))

class Field(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.mlps = nn.ModuleList([ResMLP(width) for _ in range(4)])
        self.out = nn.Linear(width, 1)
    def forward(self, x):
        h = torch.relu(self.inp(x))
        for m in self.mlps: h = m(h)
        return self.out(h)

net = Field(); opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for it in range(250):
    xy = 2 * torch.rand(256, 2) - 1
    target = torch.sin(5 * xy[:, :1]) * torch.cos(5 * xy[:, 1:])
    loss = (net(xy) - target).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 50 == 0: print(it, loss.item())
print("metric:", loss.item())
