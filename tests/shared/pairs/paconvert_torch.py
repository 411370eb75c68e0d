"""A small image-to-image network in PyTorch, as someone would give it to PaConvert."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.pad = nn.ReflectionPad2d(1)
        self.conv1 = nn.Conv2d(width, width, 3, bias=False)
        self.norm1 = nn.InstanceNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, bias=False)
        self.norm2 = nn.InstanceNorm2d(width)

    def forward(self, x):
        h = F.relu(self.norm1(self.conv1(self.pad(x))))
        h = self.norm2(self.conv2(self.pad(h)))
        return x + h


class Network(nn.Module):
    def __init__(self, width=8, classes=5):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*[Residual(width) for _ in range(2)])
        self.hidden = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.ones(width))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x)))
        pooled = torch.mean(x, dim=(2, 3)) * self.scale
        hidden = torch.tanh(self.hidden(pooled))
        return self.head(hidden)
