"""Normalisations of the U-GAT-IT generator: AdaLIN, LIN and instance norm (paper, equation 1), and those of its ablation."""

import math

from paddle import nn
from paddle.nn.initializer import Constant

from .functional import group_norm, instance_norm, layer_norm, mean, rows, standardize, var


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


# The ablation (paper, section 4.3.2, figure 3). Of these norms the paper says no more than the names, so they are torch's own, with
# biased variances, and differ from AdaLIN and LIN in nothing else: the same epsilon, and the same scale and shift of each channel.


class AdaIN(nn.Layer):
    """Adaptive instance normalisation (Huang and Belongie 2017): AdaLIN without its layer statistics and rho."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.num_features = num_features
        self.eps = eps

    def forward(self, input, gamma, beta):
        """input (N, C, H, W) with H*W > 1; gamma, beta (N, C), of its dtype -> (N, C, H, W)."""
        out = instance_norm(input, self.eps)
        out = out * rows(gamma.unsqueeze(2).unsqueeze(3), input) + rows(beta.unsqueeze(2).unsqueeze(3), input)
        return out


class IN(nn.Layer):
    """Instance normalisation with affine parameters of its own: ``gamma`` 1, ``beta`` 0 at first, each (1, C, 1, 1)."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(1.0))
        self.beta = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of gamma's dtype -> (N, C, H, W)."""
        out = instance_norm(input, self.eps)
        out = out * rows(self.gamma, input) + rows(self.beta, input)
        return out


class LN(nn.Layer):
    """Layer normalisation over channels and places, with affine parameters of each channel, as of IN."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(1.0))
        self.beta = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of gamma's dtype -> (N, C, H, W)."""
        out = layer_norm(input, self.eps)
        out = out * rows(self.gamma, input) + rows(self.beta, input)
        return out


class GN(nn.Layer):
    """Group normalisation (Wu and He 2018), with affine parameters of each channel, as of IN.

    ``num_groups``: 32, as there, or what both C and 32 can be divided by; half of it where that would leave groups of one channel,
    which is instance norm.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.num_groups = math.gcd(32, num_features)
        if self.num_groups == num_features > 1:
            self.num_groups //= 2
        self.gamma = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(1.0))
        self.beta = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of gamma's dtype -> (N, C, H, W)."""
        out = group_norm(input, self.num_groups, self.eps)
        out = out * rows(self.gamma, input) + rows(self.beta, input)
        return out


adaILN = AdaLIN
ILN = LIN

# Of the decoder: name -> (norm of its residual blocks, norm of its up-sampling). "Only IN in the decoder" (the paper) means both;
# FC makes scale and shift for the residual blocks only, so that AdaIN has IN beside it as AdaLIN has LIN.
DECODER_NORMS = {"adalin": (AdaLIN, LIN), "adain": (AdaIN, IN), "in": (IN, IN), "ln": (LN, LN), "gn": (GN, GN)}
ADAPTIVE = (AdaLIN, AdaIN)


def decoder_norms(decoder_norm):
    """(norm of the residual blocks, norm of the up-sampling). Raises ValueError for a name that is not in DECODER_NORMS."""
    if decoder_norm not in DECODER_NORMS:
        raise ValueError(f"decoder_norm: expected one of {', '.join(DECODER_NORMS)}, found {decoder_norm!r}")
    return DECODER_NORMS[decoder_norm]
