"""Layers that start and behave as torch's of the same name, where Paddle's own do not."""

import math

import paddle
from paddle import nn

from .functional import add_eps, leaky_relu, mean


def _like_torch(fan_in):
    # torch's default, kaiming_uniform with a = sqrt(5), comes to this for weights and biases alike; Paddle's
    # default has other weights (standard deviation .0593 against .0241 for a convolution) and biases of 0.
    bound = 1 / math.sqrt(fan_in)
    return paddle.ParamAttr(initializer=nn.initializer.Uniform(-bound, bound))


def conv2d(in_channels, out_channels, kernel_size, stride=1, padding=0, bias=True):
    """``nn.Conv2D``, square kernel, zero padding, initialised as torch initialises ``nn.Conv2d``."""
    fan_in = in_channels * kernel_size * kernel_size
    return nn.Conv2D(in_channels, out_channels, kernel_size, stride, padding,
                     weight_attr=_like_torch(fan_in), bias_attr=_like_torch(fan_in) if bias else False)


def conv2d_transpose(in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, bias=True):
    """``nn.Conv2DTranspose``, square kernel, initialised as torch initialises ``nn.ConvTranspose2d``."""
    # torch takes the second axis of the weight (in, out, k, k) for the inputs, here as well.
    fan_in = out_channels * kernel_size * kernel_size
    return nn.Conv2DTranspose(in_channels, out_channels, kernel_size, stride, padding, output_padding,
                              weight_attr=_like_torch(fan_in), bias_attr=_like_torch(fan_in) if bias else False)


def linear(in_features, out_features, bias=True):
    """``nn.Linear`` (weight (in, out): torch's transposed), initialised as torch initialises its own."""
    fan_in = in_features
    return nn.Linear(in_features, out_features,
                     weight_attr=_like_torch(fan_in), bias_attr=_like_torch(fan_in) if bias else False)


class LeakyReLU(nn.Layer):
    """x where x > 0, else negative_slope * x; its gradient at exactly 0 is the slope (Paddle's own: 1)."""

    def __init__(self, negative_slope):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input):
        """Any shape, floating -> the same shape and dtype."""
        out = leaky_relu(input, self.negative_slope)
        return out


class BatchNorm2D(nn.BatchNorm2D):
    """Batch norm in eval mode, as ``torch.nn.BatchNorm2d``: Paddle's own keeps its statistics and epsilon in float32, 2e-6 off in
    float64."""

    def __init__(self, num_features, eps):
        super().__init__(num_features, epsilon=eps)
        self.eps = eps

    def forward(self, input):
        """(N, C, H, W) -> the same shape and dtype."""
        scale = self.weight / paddle.sqrt(add_eps(self._variance, self.eps))
        shift = self.bias - self._mean * scale
        out = input * scale.reshape([1, -1, 1, 1]) + shift.reshape([1, -1, 1, 1])
        return out


class GlobalAveragePool2D(nn.Layer):
    """``torch.nn.AdaptiveAvgPool2d(1)``: the mean over all places (Paddle's own has a gradient by a float32 1/(H*W))."""

    def forward(self, input):
        """(N, C, H, W) -> (N, C, 1, 1)."""
        out = mean(input, axis=[2, 3])
        return out
