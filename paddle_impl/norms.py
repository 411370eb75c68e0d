"""Normalisations of the U-GAT-IT generator: AdaLIN, LIN and instance norm (paper, equation 1)."""

from paddle import nn
from paddle.nn.initializer import Constant

from .functional import instance_norm, mean, rows, standardize, var


class InstanceNorm2D(nn.Layer):
    """Instance norm without affine parameters: (N, C, H, W) -> (N, C, H, W), biased variance.

    Composed: Paddle's own layer is affine by default and keeps its epsilon in float32. Without affine
    parameters ``num_features`` has nothing to size; it is kept so that calls read as in torch.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.num_features = num_features
        self.eps = eps

    def forward(self, input):
        """input (N, C, H, W), floating -> the same shape and dtype."""
        return instance_norm(input, self.eps)


class AdaLIN(nn.Layer):
    """Adaptive layer-instance normalisation (paper, equation 1; official class ``adaILN``).

    ``rho`` (1, C, 1, 1), 0.9 at first, blends instance and layer statistics; it is a plain parameter, which
    the trainer clips to [0, 1] after a step. Both variances are unbiased.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.rho = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.9))

    def forward(self, input, gamma, beta):
        """input (N, C, H, W) with H*W > 1; gamma, beta (N, C); all of rho's dtype -> (N, C, H, W)."""
        in_mean = mean(input, axis=[2, 3])
        in_var = var(input, in_mean, axis=[2, 3])
        out_in = standardize(input, in_mean, in_var, self.eps)
        ln_mean = mean(input, axis=[1, 2, 3])
        ln_var = var(input, ln_mean, axis=[1, 2, 3])
        out_ln = standardize(input, ln_mean, ln_var, self.eps)
        rho = self.rho.expand([input.shape[0], -1, -1, -1])
        out = rows(rho, input) * out_in + rows(1 - rho, input) * out_ln
        out = out * rows(gamma.unsqueeze(2).unsqueeze(3), input) + rows(beta.unsqueeze(2).unsqueeze(3), input)
        return out


class LIN(nn.Layer):
    """Layer-instance normalisation with its own affine parameters (official class ``ILN``).

    ``rho`` 0, ``gamma`` 1, ``beta`` 0 at first, each (1, C, 1, 1). Both variances are unbiased.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.rho = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.0))
        self.gamma = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(1.0))
        self.beta = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of rho's dtype -> (N, C, H, W)."""
        in_mean = mean(input, axis=[2, 3])
        in_var = var(input, in_mean, axis=[2, 3])
        out_in = standardize(input, in_mean, in_var, self.eps)
        ln_mean = mean(input, axis=[1, 2, 3])
        ln_var = var(input, ln_mean, axis=[1, 2, 3])
        out_ln = standardize(input, ln_mean, ln_var, self.eps)
        rho = self.rho.expand([input.shape[0], -1, -1, -1])
        out = rows(rho, input) * out_in + rows(1 - rho, input) * out_ln
        out = out * rows(self.gamma, input) + rows(self.beta, input)
        return out


adaILN = AdaLIN
ILN = LIN
