"""Blocks of DRIT: convolutions with padding, norm and activation in one, residual blocks, and noise in a feature map."""

import paddle
from paddle import nn
from paddle.nn.initializer import Constant

from ..functional import layer_norm, rows
from ..layers import LeakyReLU, conv2d, conv2d_transpose
from ..norms import InstanceNorm2D


class LayerNorm(nn.Layer):
    """Layer norm over channels and places, biased variance; weight and bias are (n_out, 1, 1)."""

    def __init__(self, n_out, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = self.create_parameter([n_out, 1, 1], default_initializer=Constant(1.0))
        self.bias = self.create_parameter([n_out, 1, 1], default_initializer=Constant(0.0))

    def forward(self, x):
        """x (N, n_out, H, W) -> the same shape."""
        out = layer_norm(x, self.eps) * rows(self.weight.unsqueeze(0), x) + rows(self.bias.unsqueeze(0), x)
        return out


class LeakyReLUConv2d(nn.Layer):
    """Reflection padding, convolution, leaky ReLU with slope 0.01. (The official ``norm`` is never used: a slip in its test.)"""

    def __init__(self, n_in, n_out, kernel_size, stride, padding=0):
        super().__init__()
        self.model = nn.Sequential(nn.Pad2D(padding, mode="reflect"),
                                   conv2d(n_in, n_out, kernel_size, stride),
                                   LeakyReLU(0.01))

    def forward(self, x):
        """x (N, n_in, H, W) -> (N, n_out, h, w)."""
        out = self.model(x)
        return out


class ReLUINSConv2d(nn.Layer):
    """Reflection padding, convolution, instance norm, ReLU."""

    def __init__(self, n_in, n_out, kernel_size, stride, padding=0):
        super().__init__()
        self.model = nn.Sequential(nn.Pad2D(padding, mode="reflect"),
                                   conv2d(n_in, n_out, kernel_size, stride),
                                   InstanceNorm2D(n_out),
                                   nn.ReLU())

    def forward(self, x):
        """x (N, n_in, H, W) -> (N, n_out, h, w)."""
        out = self.model(x)
        return out


class ReLUINSConvTranspose2d(nn.Layer):
    """Transposed convolution, layer norm, ReLU: twice as large."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.model = nn.Sequential(conv2d_transpose(n_in, n_out, 3, stride=2, padding=1, output_padding=1),
                                   LayerNorm(n_out),
                                   nn.ReLU())

    def forward(self, x):
        """x (N, n_in, H, W) -> (N, n_out, 2H, 2W)."""
        out = self.model(x)
        return out


class INSResBlock(nn.Layer):
    """Two convolutions with instance norm, and a shortcut; no activation follows the sum."""

    def __init__(self, dim):
        super().__init__()
        self.model = nn.Sequential(nn.Pad2D(1, mode="reflect"),
                                   conv2d(dim, dim, 3),
                                   InstanceNorm2D(dim),
                                   nn.ReLU(),
                                   nn.Pad2D(1, mode="reflect"),
                                   conv2d(dim, dim, 3),
                                   InstanceNorm2D(dim))

    def forward(self, x):
        """x (N, dim, H, W) -> the same shape."""
        out = self.model(x)
        out = out + x
        return out


class BasicBlock(nn.Layer):
    """A residual block without norm that halves the picture, by means over 2 x 2 on both ways."""

    def __init__(self, inplanes, outplanes):
        super().__init__()
        down = nn.Sequential(nn.Pad2D(1, mode="reflect"), conv2d(inplanes, outplanes, 3), nn.AvgPool2D(2))
        self.conv = nn.Sequential(LeakyReLU(0.2),
                                  nn.Pad2D(1, mode="reflect"),
                                  conv2d(inplanes, inplanes, 3),
                                  LeakyReLU(0.2),
                                  down)
        self.shortcut = nn.Sequential(nn.AvgPool2D(2), conv2d(inplanes, outplanes, 1))

    def forward(self, x):
        """x (N, inplanes, H, W) -> (N, outplanes, H // 2, W // 2)."""
        out = self.conv(x) + self.shortcut(x)
        return out


class GaussianNoiseLayer(nn.Layer):
    """Standard normal noise upon its input, in training alone."""

    def forward(self, x):
        """Any shape -> the same shape."""
        if not self.training:
            return x
        noise = paddle.randn(x.shape)
        out = x + noise
        return out
