"""Fine tuning: backbone pretrained on another task, unfrozen from the top, layer-wise rates under OneCycleLR, mixup."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
import parity

torch.manual_seed(12)
torch.set_num_threads(1)
EPOCHS = 4


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        widths = [20, 48, 48, 48]
        self.stages = nn.ModuleList(nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.GELU())
                                    for a, b in zip(widths, widths[1:]))
        self.head = nn.Linear(48, classes)

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return self.head(F.dropout(x, 0.1, self.training))


def data(classes, n, basis):
    y = torch.randint(0, classes, (n,))
    return TensorDataset((basis[y] + torch.randn(n, 20)), y)


def pretrain(net):
    basis = torch.randn(8, 20)
    sgd = torch.optim.SGD(net.parameters(), 0.05)
    for x, y in DataLoader(data(8, 1600, basis), 32):
        sgd.zero_grad()
        F.cross_entropy(net(x), y).backward()
        sgd.step()
    return net


def freeze(net, upto):
    """Stages below `upto` are frozen, their batch norm too."""
    net.train()
    for k, stage in enumerate(net.stages):
        stage.requires_grad_(k >= upto)
        if k < upto:
            stage.eval()


net = pretrain(Net(8))
net.head = nn.Linear(48, 3)
train = DataLoader(data(3, 192, torch.randn(3, 20)), 32, shuffle=True)
groups = [{"params": s.parameters(), "lr": 0.01 * 0.5 ** (3 - k)} for k, s in enumerate(net.stages)]
groups.append({"params": net.head.parameters(), "lr": 0.01})
optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [g["lr"] for g in groups], total_steps=EPOCHS * len(train))
losses = []
with parity.doctor(net, optimizer) as d:
    for epoch in range(EPOCHS):
        freeze(net, upto=max(0, 3 - epoch))
        for x, y in d.watch(train):
            lam, other = torch.distributions.Beta(0.4, 0.4).sample(), torch.randperm(len(x))
            logits = net(lam * x + (1 - lam) * x[other])
            loss = lam * F.cross_entropy(logits, y, label_smoothing=0.1) \
                + (1 - lam) * F.cross_entropy(logits, y[other], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
print(d)
