"""Normalisations of the U-GAT-IT generator: AdaLIN, LIN and instance norm (paper, equation 1)."""

import torch
from torch import nn

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


adaILN = AdaLIN
ILN = LIN
