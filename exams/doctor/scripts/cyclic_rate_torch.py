import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(1000, 8)
y = torch.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3]
net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
sched = torch.optim.lr_scheduler.CyclicLR(opt, base_lr=0.001, max_lr=0.12, step_size_up=50, cycle_momentum=False)
for epoch in range(30):
    total = 0.0
    for i in torch.randperm(1000).split(50):
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() / 20
    if epoch % 3 == 0 or epoch == 29:
        print(f"epoch {epoch} lr {sched.get_last_lr()[0]:.4f} loss {total:.4f}")
