import torch
from torch import nn

torch.manual_seed(0)


class TwoStage(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU())
        self.rebuild = nn.Linear(64, 16)        # phase one
        self.classify = nn.Linear(64, 3)        # phase two; it has no gradient before

    def forward(self, x, phase):
        h = self.body(x)
        return self.rebuild(h) if phase == 1 else self.classify(h)


mix = torch.randn(4, 16)
z = torch.randn(1000, 4)
x = z @ mix + 0.2 * torch.randn(1000, 16)
y = (z[:, 0] > 0).long() + (z[:, 1] > 0).long()
net = TwoStage()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(24):
    phase = 1 if epoch < 8 else 2
    for i in torch.randperm(800).split(50):
        out = net(x[i] + 0.3 * torch.randn(len(i), 16) if phase == 1 else x[i], phase)
        loss = nn.functional.mse_loss(out, x[i]) if phase == 1 else nn.functional.cross_entropy(out, y[i])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print("phase", phase, "epoch", epoch, "loss", loss.item())
print("accuracy", (net(x[800:], 2).argmax(1) == y[800:]).float().mean().item())
