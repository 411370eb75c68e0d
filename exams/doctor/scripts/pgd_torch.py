"""Adversarial training: PGD inputs made with the network in eval mode, then a training step; stochastic weight averaging."""
import torch
from torch import nn
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel, SWALR, update_bn
from torch.utils.data import DataLoader, TensorDataset
import parity

torch.manual_seed(0)
torch.set_num_threads(1)
EPOCHS = 3
SWA_START = 2
g = torch.Generator().manual_seed(1)
y = torch.randint(0, 4, (256,), generator=g)
x = torch.rand(256, 1, 12, 12, generator=g) * 0.5
for i, k in enumerate(y.tolist()):
    r, c = divmod(k, 2)
    x[i, 0, r * 6:r * 6 + 6, c * 6:c * 6 + 6] += 0.35
loader = DataLoader(TensorDataset(x.clamp(0, 1), y), batch_size=32, shuffle=True)


class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor(0.33))
        self.register_buffer("std", torch.tensor(0.2))
        self.features = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                                      nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(inplace=True))
        self.out = nn.Linear(24, 4)

    def forward(self, x):
        return self.out(self.features((x - self.mean) / self.std).mean((2, 3)))


def attack(net, x, y, eps=0.08, alpha=0.04, rounds=2):
    net.eval()
    adv = (x + torch.empty_like(x).uniform_(-eps, eps)).clamp(0, 1)
    for _ in range(rounds):
        adv.requires_grad_(True)
        loss = F.cross_entropy(net(adv), y)
        grad, = torch.autograd.grad(loss, adv)
        adv = adv.detach() + alpha * grad.sign()
        adv = torch.min(torch.max(adv, x - eps), x + eps).clamp(0, 1)
    net.train()
    return adv.detach()


net = SmallCNN()
swa_net = AveragedModel(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
swa_scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=1)
history = []

with parity.doctor([net], [optimizer]) as d:
    for epoch in range(EPOCHS):
        for xb, yb in d.watch(loader):
            adv = attack(net, xb, yb)
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(adv), yb)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            history.append(loss.item())
        if epoch >= SWA_START - 1:
            swa_net.update_parameters(net)
            swa_scheduler.step()
update_bn(loader, swa_net)
print(d)
