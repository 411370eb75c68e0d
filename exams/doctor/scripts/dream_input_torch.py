import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(500, 16)
y = (x[:, :4].sum(1) > 0).long()
net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(150):
    loss = nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
print("classifier loss", loss.item())
net.requires_grad_(False)
image = torch.zeros(1, 16, requires_grad=True)        # the only thing that is learnt from here on
ascent = torch.optim.SGD([image], lr=0.5, maximize=True)
for step in range(60):
    score = net(image)[0, 1] - 0.1 * image.square().sum()
    ascent.zero_grad()
    score.backward()
    ascent.step()
    if step % 10 == 0:
        print("step", step, "score", score.item())
print("final score", score.item())
