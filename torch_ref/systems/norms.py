"""Normalisations of MUNIT and UNIT: with generated parameters, and over all channels at once."""

import torch
from torch import nn
from torch.nn import functional as F


class AdaptiveInstanceNorm2d(nn.Module):
    """Instance norm, biased variance, whose scale and shift a network makes: ``weight`` and ``bias``, (N num_features,) each.

    The buffers are of the official state; nothing reads them. Raises ValueError before the parameters are assigned.
    """

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.weight = None
        self.bias = None
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x):
        """x (N, num_features, H, W), H W > 1 -> the same shape."""
        if self.weight is None or self.bias is None:
            raise ValueError("AdaIN has no parameters yet: assign weight and bias before the decoder is called")
        b, c = x.shape[:2]
        wide = x.reshape(1, b * c, *x.shape[2:])
        out = F.batch_norm(wide, None, None, self.weight, self.bias, True, eps=self.eps).reshape(x.shape)
        return out


class LayerNorm(nn.Module):
    """Layer norm over channels and places, by an unbiased deviation to which epsilon is added; gamma, beta (num_features,)."""

    def __init__(self, num_features, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.rand(num_features))
        self.beta = nn.Parameter(torch.zeros(num_features))

    def forward(self, x):
        """x (N, num_features, H, W) -> the same shape."""
        x_mean = torch.mean(x, dim=[1, 2, 3], keepdim=True)
        x_std = torch.std(x, dim=[1, 2, 3], keepdim=True)
        out = (x - x_mean) / (x_std + self.eps)
        out = out * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)
        return out
