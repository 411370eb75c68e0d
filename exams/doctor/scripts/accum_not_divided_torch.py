import torch, torch.nn as nn
torch.manual_seed(0)
N = 32
class AcousticModel(nn.Module):
    def __init__(self):
        super().__init__(); self.rnn = nn.GRU(6, 24, batch_first=True); self.out = nn.Linear(24, 1)
    def forward(self, x): return self.out(self.rnn(x)[0]).squeeze(-1)
net = AcousticModel(); opt = torch.optim.SGD(net.parameters(), lr=0.3)
mix = torch.randn(6)
for it in range(40):
    opt.zero_grad(); total = 0.0
    for k in range(N):
        x = torch.randn(4, 8, 6); y = 3 * (x @ mix).cumsum(1) / 8
        loss = (net(x) - y).pow(2).mean() / N
        loss.backward(); total += loss.item()
    opt.step()
    if it % 8 == 0: print(it, total / N)
x = torch.randn(200, 8, 6); print("metric:", (net(x) - 3 * (x @ mix).cumsum(1) / 8).pow(2).mean().item())
