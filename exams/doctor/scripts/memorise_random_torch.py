import torch
from torch import nn

torch.manual_seed(0)
# "Understanding deep learning requires rethinking generalization": labels drawn at random, learnt by heart
x, y = torch.randn(200, 32), torch.randint(0, 10, (200,))
net = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(60):
    for i in torch.randperm(200).split(50):
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 9:
        with torch.no_grad():
            acc = (net(x).argmax(1) == y).float().mean().item()
        print("epoch", epoch, "loss", loss.item(), "train accuracy", acc)
x_new, y_new = torch.randn(200, 32), torch.randint(0, 10, (200,))
print("accuracy on new rows (chance is 0.1)", (net(x_new).argmax(1) == y_new).float().mean().item())
