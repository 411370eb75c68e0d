"""A small classifier with batch norm, in torch."""

import torch
from torch import nn
from torch.nn import functional as F

from exams.doctor.programs import data, torch_state

BATCH = 8


class BatchNorm(nn.Module):
    """As nn.BatchNorm2d, composed like its twin in Paddle; its running variance is biased."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean([0, 2, 3])
            var = ((x - mean.reshape([1, -1, 1, 1])) ** 2).mean([0, 2, 3])
            self.running_mean.copy_(0.9 * self.running_mean + 0.1 * mean.detach())
            self.running_var.copy_(0.9 * self.running_var + 0.1 * var.detach())
        scale = self.weight / torch.sqrt(var + 1e-5)
        out = (x - mean.reshape([1, -1, 1, 1])) * scale.reshape([1, -1, 1, 1]) + self.bias.reshape([1, -1, 1, 1])
        return out


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.norm1 = BatchNorm(8)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.norm2 = BatchNorm(8)
        self.act2 = nn.ReLU()
        self.head = nn.Linear(8 * 4, 4)

    def forward(self, x):
        h = self.act1(self.norm1(self.conv1(x)))
        h = self.act2(self.norm2(self.conv2(h)))
        h = F.avg_pool2d(h, 4)
        h = h.reshape([h.shape[0], -1])
        logits = self.head(h)
        return logits


class Training:
    def __init__(self, dtype="float32"):
        self.net = Net()
        self.net.to(dtype=getattr(torch, dtype))
        self.networks = {"net": self.net}
        parameters = self.net.parameters()
        self.optim = torch.optim.Adam(parameters, 0.01, weight_decay=1e-4)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optim, step_size=10, gamma=0.5)
        self.images, self.labels = data.pictures(dtype)

    def batch(self, number):
        epoch, index = divmod(number - 1, len(self.labels) // BATCH)
        order = data.order(len(self.labels), epoch)
        chosen = order[index * BATCH:(index + 1) * BATCH]
        x = torch.tensor(self.images[chosen])
        y = torch.tensor(self.labels[chosen])
        return x, y

    def step(self, number):
        x, y = self.batch(number)
        self.net.train()
        logits = self.net(x)
        loss = F.cross_entropy(logits, y)
        self.optim.zero_grad(set_to_none=False)
        loss.backward()
        self.optim.step()
        self.scheduler.step()
        return {"loss": loss.detach()}

    def state(self):
        return torch_state.state(self)

    def load_state(self, state):
        torch_state.load(self, state)
