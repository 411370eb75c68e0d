"""Domain adversarial training with gradient reversal: labels for the source domain only."""
import math
from itertools import cycle
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
import parity

torch.manual_seed(6)
torch.set_num_threads(1)
EPOCHS = 2


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


centers = torch.randn(4, 10) * 2


def domain(n, shift):
    y = torch.randint(0, 4, (n,))
    x = centers[y] + 0.7 * torch.randn(n, 10)
    return TensorDataset(x + shift * torch.ones(10), y)


source = DataLoader(domain(320, 0.0), 32, shuffle=True, drop_last=True)
target = DataLoader(domain(192, 1.0), 32, shuffle=True, drop_last=True)
features = nn.Sequential(nn.Linear(10, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
classifier = nn.Linear(32, 4)
critic = nn.Sequential(nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
optimizer = torch.optim.SGD([{"params": features.parameters()},
                             {"params": classifier.parameters(), "lr": 0.05},
                             {"params": critic.parameters(), "lr": 0.02, "weight_decay": 0.0}],
                            lr=0.01, momentum=0.9, weight_decay=1e-3)
losses, total, k = [], EPOCHS * len(source), 0
with parity.doctor({"features": features, "classifier": classifier, "critic": critic}, optimizer) as d:
    for epoch in range(EPOCHS):
        for (xs, ys), (xt, _) in d.watch(zip(source, cycle(target))):
            strength = 2 / (1 + math.exp(-10 * k / total)) - 1          # 0 at the start
            k += 1
            h = features(torch.cat([xs, xt]))
            task = F.cross_entropy(classifier(h[:len(xs)]), ys)
            d_logits = critic(Reverse.apply(h, strength)).squeeze(1)
            d_label = torch.cat([torch.ones(len(xs)), torch.zeros(len(xt))])
            adversary = F.binary_cross_entropy_with_logits(d_logits, d_label)
            optimizer.zero_grad()
            (task + adversary).backward()
            optimizer.step()
            losses.append(task.item())
print(d)
