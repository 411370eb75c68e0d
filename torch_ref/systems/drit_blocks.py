"""Blocks of DRIT: convolutions with padding, norm and activation in one, residual blocks, and noise in a feature map."""

import torch
from torch import nn
from torch.nn import functional as F

from ..norms import InstanceNorm2d


class LayerNorm(nn.Module):
    """Layer norm over channels and places, biased variance; weight and bias are (n_out, 1, 1)."""

    def __init__(self, n_out, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(n_out, 1, 1))
        self.bias = nn.Parameter(torch.zeros(n_out, 1, 1))

    def forward(self, x):
        """x (N, n_out, H, W) -> the same shape."""
        out = F.layer_norm(x, x.shape[1:], self.weight.expand(x.shape[1:]), self.bias.expand(x.shape[1:]), self.eps)
        return out


class LeakyReLUConv2d(nn.Module):
    """Reflection padding, convolution, leaky ReLU with slope 0.01. (The official ``norm`` is never used: a slip in its test.)"""

    def __init__(self, n_in, n_out, kernel_size, stride, padding=0):
        super().__init__()
        self.model = nn.Sequential(nn.ReflectionPad2d(padding),
                                   nn.Conv2d(n_in, n_out, kernel_size, stride),
                                   nn.LeakyReLU(0.01, True))

    def forward(self, x):
        """x (N, n_in, H, W) -> (N, n_out, h, w)."""
        out = self.model(x)
        return out


class ReLUINSConv2d(nn.Module):
    """Reflection padding, convolution, instance norm, ReLU."""

    def __init__(self, n_in, n_out, kernel_size, stride, padding=0):
        super().__init__()
        self.model = nn.Sequential(nn.ReflectionPad2d(padding),
                                   nn.Conv2d(n_in, n_out, kernel_size, stride),
                                   InstanceNorm2d(n_out),
                                   nn.ReLU(True))

    def forward(self, x):
        """x (N, n_in, H, W) -> (N, n_out, h, w)."""
        out = self.model(x)
        return out


class ReLUINSConvTranspose2d(nn.Module):
    """Transposed convolution, layer norm, ReLU: twice as large."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.model = nn.Sequential(nn.ConvTranspose2d(n_in, n_out, 3, stride=2, padding=1, output_padding=1),
                                   LayerNorm(n_out),
                                   nn.ReLU(True))

    def forward(self, x):
        """x (N, n_in, H, W) -> (N, n_out, 2H, 2W)."""
        out = self.model(x)
        return out


class INSResBlock(nn.Module):
    """Two convolutions with instance norm, and a shortcut; no activation follows the sum."""

    def __init__(self, dim):
        super().__init__()
        self.model = nn.Sequential(nn.ReflectionPad2d(1),
                                   nn.Conv2d(dim, dim, 3),
                                   InstanceNorm2d(dim),
                                   nn.ReLU(True),
                                   nn.ReflectionPad2d(1),
                                   nn.Conv2d(dim, dim, 3),
                                   InstanceNorm2d(dim))

    def forward(self, x):
        """x (N, dim, H, W) -> the same shape."""
        out = self.model(x)
        out = out + x
        return out


class BasicBlock(nn.Module):
    """A residual block without norm that halves the picture, by means over 2 x 2 on both ways."""

    def __init__(self, inplanes, outplanes):
        super().__init__()
        down = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(inplanes, outplanes, 3), nn.AvgPool2d(2))
        self.conv = nn.Sequential(nn.LeakyReLU(0.2),
                                  nn.ReflectionPad2d(1),
                                  nn.Conv2d(inplanes, inplanes, 3),
                                  nn.LeakyReLU(0.2),
                                  down)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inplanes, outplanes, 1))

    def forward(self, x):
        """x (N, inplanes, H, W) -> (N, outplanes, H // 2, W // 2)."""
        out = self.conv(x) + self.shortcut(x)
        return out


class GaussianNoiseLayer(nn.Module):
    """Standard normal noise upon its input, in training alone."""

    def forward(self, x):
        """Any shape -> the same shape."""
        if not self.training:
            return x
        noise = torch.randn(x.shape)
        out = x + noise
        return out
