import torch, torch.nn as nn
torch.manual_seed(0)
true = torch.randn(12, 3)
net = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
ACC = 3
for it in range(200):
    for micro in range(ACC):
        x = torch.randn(16, 12); y = torch.tanh(x @ true[:, micro])
        loss = (net(x)[:, micro] - y).pow(2).mean() / ACC
        loss.backward()
    opt.step()
    opt.zero_grad()
    if it % 40 == 0: print(it, loss.item())
x = torch.randn(500, 12)
print("metric:", (net(x) - torch.tanh(x @ true)).pow(2).mean().item())
