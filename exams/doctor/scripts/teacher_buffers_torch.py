import copy, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
centres = 3 * torch.randn(6, 10) + 20

def batch(n=64):
    y = torch.randint(0, 6, (n,)); return centres[y] + 1.5 * torch.randn(n, 10), y

student = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 6))
teacher = copy.deepcopy(student).requires_grad_(False).eval()
opt = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)

@torch.no_grad()
def update(online, momentum_net, tau=0.95):
    for op, mp in zip(online.parameters(), momentum_net.parameters()):
        mp.mul_(tau).add_(op, alpha=1 - tau)
    for ob, mb in zip(online.buffers(), momentum_net.buffers()): mb.copy_(ob)

for it in range(200):
    x, y = batch(); loss = F.cross_entropy(student(x), y)
    opt.zero_grad(); loss.backward(); opt.step(); update(student, teacher)
    if it % 40 == 0: print(it, loss.item())
x, y = batch(1000); print("metric:", (teacher(x).argmax(1) == y).float().mean().item())
