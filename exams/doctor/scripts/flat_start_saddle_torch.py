import torch
from torch import nn

torch.manual_seed(0)
# parity of 4 bits: the loss stays at log 2 for a while before it falls (a known plateau), then reaches zero
bits = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 4)
parity = (bits.prod(1) > 0).float()
net = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1))
nn.init.normal_(net[0].weight, std=0.15)
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(800):
    loss = nn.functional.binary_cross_entropy_with_logits(net(bits).squeeze(1), parity)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 80 == 0:
        print("epoch", epoch, "loss", loss.item())
print("final loss", loss.item(), "right", ((net(bits)[:, 0] > 0) == parity.bool()).float().mean().item())
