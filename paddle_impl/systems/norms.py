"""Normalisations of MUNIT and UNIT: with generated parameters, and over all channels at once."""

import paddle
from paddle import nn
from paddle.nn.initializer import Constant, Uniform

from ..functional import add_eps, instance_norm, mean, rows, var


class AdaptiveInstanceNorm2d(nn.Layer):
    """Instance norm, biased variance, whose scale and shift a network makes: ``weight`` and ``bias``, (N num_features,) each.

    The buffers are of the official state; nothing reads them. Raises ValueError before the parameters are assigned.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.weight = None
        self.bias = None
        self.register_buffer("running_mean", paddle.zeros([num_features]))
        self.register_buffer("running_var", paddle.ones([num_features]))

    def forward(self, x):
        """x (N, num_features, H, W), H W > 1 -> the same shape."""
        if self.weight is None or self.bias is None:
            raise ValueError("AdaIN has no parameters yet: assign weight and bias before the decoder is called")
        b, c = x.shape[:2]
        wide = instance_norm(x, self.eps)
        out = wide * rows(self.weight.reshape([b, c, 1, 1]), x) + rows(self.bias.reshape([b, c, 1, 1]), x)
        return out


class LayerNorm(nn.Layer):
    """Layer norm over channels and places, by an unbiased deviation to which epsilon is added; gamma, beta (num_features,)."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = self.create_parameter([num_features], default_initializer=Uniform(0.0, 1.0))
        self.beta = self.create_parameter([num_features], default_initializer=Constant(0.0))

    def forward(self, x):
        """x (N, num_features, H, W) -> the same shape."""
        x_mean = mean(x, axis=[1, 2, 3])
        x_std = paddle.sqrt(var(x, x_mean, axis=[1, 2, 3]))
        out = (x - rows(x_mean, x)) / rows(add_eps(x_std, self.eps), x)
        out = out * rows(self.gamma.reshape([1, -1, 1, 1]), x) + rows(self.beta.reshape([1, -1, 1, 1]), x)
        return out
