import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
W = torch.randn(12, 5)


def data(n, shift):
    x = torch.randn(n, 12)
    return x, (torch.tanh(x + shift) @ W).argmax(1)


net = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 5))


def loop(x, y, params, epochs, name):
    opt = torch.optim.Adam(params)
    for e in range(epochs):
        s = 0.0
        for i in torch.randperm(len(x)).split(50):
            loss = F.cross_entropy(net(x[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
            s += loss.item()
        print(name, e, "loss", round(s / (len(x) / 50), 4), "acc", round((net(x).argmax(1) == y).float().mean().item(), 4))


xa, ya = data(3000, 0.0)
loop(xa, ya, [{"params": net.parameters(), "lr": 2e-3}], 8, "pretrain")
xb, yb = data(1500, 0.4)
print("zero-shot acc", round((net(xb).argmax(1) == yb).float().mean().item(), 4))
groups = [{"params": net[0].parameters(), "lr": 1e-5}, {"params": net[2].parameters(), "lr": 1e-4}, {"params": net[4].parameters(), "lr": 1e-3}]
loop(xb, yb, groups, 8, "finetune")
