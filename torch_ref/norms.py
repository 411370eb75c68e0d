"""Normalisations of the U-GAT-IT generator: AdaLIN, LIN and instance norm (paper, equation 1), and those of its ablation."""

import math

import torch
from torch import nn
from torch.nn import functional as F

# Without affine parameters and with biased variance, as torch has it by default; the twin has to compose it.
InstanceNorm2d = nn.InstanceNorm2d


class AdaLIN(nn.Module):
    """Adaptive layer-instance normalisation (paper, equation 1; official class ``adaILN``).

    ``rho`` (1, C, 1, 1), 0.9 at first, blends instance and layer statistics; it is a plain parameter, which
    the trainer clips to [0, 1] after a step. Both variances are unbiased.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.rho = nn.Parameter(torch.full((1, num_features, 1, 1), 0.9))

    def forward(self, input, gamma, beta):
        """input (N, C, H, W) with H*W > 1; gamma, beta (N, C); all of rho's dtype -> (N, C, H, W)."""
        in_mean = torch.mean(input, dim=[2, 3], keepdim=True)
        in_var = torch.var(input, dim=[2, 3], keepdim=True)
        out_in = (input - in_mean) / torch.sqrt(in_var + self.eps)
        ln_mean = torch.mean(input, dim=[1, 2, 3], keepdim=True)
        ln_var = torch.var(input, dim=[1, 2, 3], keepdim=True)
        out_ln = (input - ln_mean) / torch.sqrt(ln_var + self.eps)
        rho = self.rho.expand(input.shape[0], -1, -1, -1)
        out = rho * out_in + (1 - rho) * out_ln
        out = out * gamma.unsqueeze(2).unsqueeze(3) + beta.unsqueeze(2).unsqueeze(3)
        return out


class LIN(nn.Module):
    """Layer-instance normalisation with its own affine parameters (official class ``ILN``).

    ``rho`` 0, ``gamma`` 1, ``beta`` 0 at first, each (1, C, 1, 1). Both variances are unbiased.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.rho = nn.Parameter(torch.full((1, num_features, 1, 1), 0.0))
        self.gamma = nn.Parameter(torch.full((1, num_features, 1, 1), 1.0))
        self.beta = nn.Parameter(torch.full((1, num_features, 1, 1), 0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of rho's dtype -> (N, C, H, W)."""
        in_mean = torch.mean(input, dim=[2, 3], keepdim=True)
        in_var = torch.var(input, dim=[2, 3], keepdim=True)
        out_in = (input - in_mean) / torch.sqrt(in_var + self.eps)
        ln_mean = torch.mean(input, dim=[1, 2, 3], keepdim=True)
        ln_var = torch.var(input, dim=[1, 2, 3], keepdim=True)
        out_ln = (input - ln_mean) / torch.sqrt(ln_var + self.eps)
        rho = self.rho.expand(input.shape[0], -1, -1, -1)
        out = rho * out_in + (1 - rho) * out_ln
        out = out * self.gamma + self.beta
        return out


# The ablation (paper, section 4.3.2, figure 3). Of these norms the paper says no more than the names, so they are torch's own, with
# biased variances, and differ from AdaLIN and LIN in nothing else: the same epsilon, and the same scale and shift of each channel.


class AdaIN(nn.Module):
    """Adaptive instance normalisation (Huang and Belongie 2017): AdaLIN without its layer statistics and rho."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.num_features = num_features
        self.eps = eps

    def forward(self, input, gamma, beta):
        """input (N, C, H, W) with H*W > 1; gamma, beta (N, C), of its dtype -> (N, C, H, W)."""
        out = F.instance_norm(input, eps=self.eps)
        out = out * gamma.unsqueeze(2).unsqueeze(3) + beta.unsqueeze(2).unsqueeze(3)
        return out


class IN(nn.Module):
    """Instance normalisation with affine parameters of its own: ``gamma`` 1, ``beta`` 0 at first, each (1, C, 1, 1)."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.full((1, num_features, 1, 1), 1.0))
        self.beta = nn.Parameter(torch.full((1, num_features, 1, 1), 0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of gamma's dtype -> (N, C, H, W)."""
        out = F.instance_norm(input, eps=self.eps)
        out = out * self.gamma + self.beta
        return out


class LN(nn.Module):
    """Layer normalisation over channels and places, with affine parameters of each channel, as of IN."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.full((1, num_features, 1, 1), 1.0))
        self.beta = nn.Parameter(torch.full((1, num_features, 1, 1), 0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of gamma's dtype -> (N, C, H, W)."""
        out = F.layer_norm(input, input.shape[1:], eps=self.eps)
        out = out * self.gamma + self.beta
        return out


class GN(nn.Module):
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
        self.gamma = nn.Parameter(torch.full((1, num_features, 1, 1), 1.0))
        self.beta = nn.Parameter(torch.full((1, num_features, 1, 1), 0.0))

    def forward(self, input):
        """input (N, C, H, W) with H*W > 1, of gamma's dtype -> (N, C, H, W)."""
        out = F.group_norm(input, self.num_groups, eps=self.eps)
        out = out * self.gamma + self.beta
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
