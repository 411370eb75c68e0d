"""Residual blocks of the generator. No activation follows either sum."""

from torch import nn

from .norms import AdaLIN, InstanceNorm2d


class ResnetBlock(nn.Module):
    """Encoder block with instance norm (official class ``ResnetBlock``); H and W above 1.

    In the ablation the decoder's block, too, with a ``norm`` that is not adaptive.
    """

    def __init__(self, dim, use_bias, norm=InstanceNorm2d):
        super().__init__()
        conv_block = []
        conv_block += [nn.ReflectionPad2d(1),
                       nn.Conv2d(dim, dim, 3, bias=use_bias),
                       norm(dim),
                       nn.ReLU(True)]
        conv_block += [nn.ReflectionPad2d(1),
                       nn.Conv2d(dim, dim, 3, bias=use_bias),
                       norm(dim)]
        self.conv_block = nn.Sequential(*conv_block)

    def forward(self, x):
        """x (N, dim, H, W) -> (N, dim, H, W)."""
        out = self.conv_block(x)
        out = x + out
        return out


class ResnetAdaILNBlock(nn.Module):
    """Decoder block with AdaLIN (official class ``ResnetAdaILNBlock``) or another adaptive ``norm``; H and W above 1."""

    def __init__(self, dim, use_bias, norm=AdaLIN):
        super().__init__()
        self.pad1 = nn.ReflectionPad2d(1)
        self.conv1 = nn.Conv2d(dim, dim, 3, bias=use_bias)
        self.norm1 = norm(dim)
        self.relu1 = nn.ReLU(True)
        self.pad2 = nn.ReflectionPad2d(1)
        self.conv2 = nn.Conv2d(dim, dim, 3, bias=use_bias)
        self.norm2 = norm(dim)

    def forward(self, x, gamma, beta):
        """x (N, dim, H, W); gamma, beta (N, dim), used by both norms -> (N, dim, H, W)."""
        out = self.pad1(x)
        out = self.conv1(out)
        out = self.norm1(out, gamma, beta)
        out = self.relu1(out)
        out = self.pad2(out)
        out = self.conv2(out)
        out = self.norm2(out, gamma, beta)
        out = out + x
        return out
