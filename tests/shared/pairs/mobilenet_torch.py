"""MobileNetV3 (Howard et al. 2019), small, in PyTorch: names and nesting are this file's own."""

import torch
from torch import nn
from torch.nn import functional as F

# kernel, expanded, out, squeeze and excitation, activation, stride: some of the rows of the paper's "small"
ROWS = ((3, 16, 16, True, F.relu, 2), (3, 72, 24, False, F.relu, 2), (3, 88, 24, False, F.relu, 1),
        (5, 96, 40, True, F.hardswish, 2), (5, 240, 40, True, F.hardswish, 1))


def norm(width):
    return nn.BatchNorm2d(width, eps=0.001, momentum=0.01)


class Squeeze(nn.Module):
    def __init__(self, width):
        super().__init__()
        squeezed = max(8, int(width // 4 + 4) // 8 * 8)
        if squeezed < 0.9 * (width // 4):
            squeezed += 8
        self.down = nn.Conv2d(width, squeezed, 1)
        self.up = nn.Conv2d(squeezed, width, 1)

    def forward(self, x):
        scale = F.adaptive_avg_pool2d(x, 1)
        scale = F.relu(self.down(scale))
        scale = F.hardsigmoid(self.up(scale))
        return x * scale


class Inverted(nn.Module):
    def __init__(self, wide, kernel, expanded, out, squeeze, activation, stride):
        super().__init__()
        self.activation = activation
        self.expand = expanded != wide
        if self.expand:
            self.expand_conv = nn.Conv2d(wide, expanded, 1, bias=False)
            self.expand_norm = norm(expanded)
        self.depth_conv = nn.Conv2d(expanded, expanded, kernel, stride, kernel // 2, groups=expanded, bias=False)
        self.depth_norm = norm(expanded)
        self.squeeze = Squeeze(expanded) if squeeze else None
        self.project_conv = nn.Conv2d(expanded, out, 1, bias=False)
        self.project_norm = norm(out)
        self.residual = stride == 1 and wide == out

    def forward(self, x):
        h = x
        if self.expand:
            h = self.activation(self.expand_norm(self.expand_conv(h)))
        h = self.activation(self.depth_norm(self.depth_conv(h)))
        if self.squeeze is not None:
            h = self.squeeze(h)
        h = self.project_norm(self.project_conv(h))
        return x + h if self.residual else h


class MobileNetV3(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, 2, 1, bias=False)
        self.first_norm = norm(16)
        blocks, wide = [], 16
        for kernel, expanded, out, squeeze, activation, stride in ROWS:
            blocks.append(Inverted(wide, kernel, expanded, out, squeeze, activation, stride))
            wide = out
        self.body = nn.ModuleList(blocks)
        self.last = nn.Conv2d(wide, 6 * wide, 1, bias=False)
        self.last_norm = norm(6 * wide)
        self.hidden = nn.Linear(6 * wide, 32)
        self.out = nn.Linear(32, classes)

    def forward(self, x):
        x = F.hardswish(self.first_norm(self.first(x)))
        for block in self.body:
            x = block(x)
        x = F.hardswish(self.last_norm(self.last(x)))
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.out(F.dropout(F.hardswish(self.hidden(x)), 0.2, self.training))
