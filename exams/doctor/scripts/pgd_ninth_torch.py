import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(16, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 4)); opt = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9); c = 2 * torch.randn(4, 16)
def attack(x, y, eps=0.3):
    net.eval(); d = torch.empty_like(x).uniform_(-eps, eps).requires_grad_()
    for _ in range(3): g, = torch.autograd.grad(F.cross_entropy(net(x + d), y), d); d = (d + 0.1 * g.sign()).clamp(-eps, eps).detach().requires_grad_()
    net.train(); return (x + d).detach()
for it in range(80):
    y = torch.randint(0, 4, (64,)); x = c[y] + torch.randn(64, 16); loss = F.cross_entropy(net(attack(x, y)), y); opt.zero_grad(); loss.backward(); opt.step()
    if it % 20 == 0: print(it, loss.item())
