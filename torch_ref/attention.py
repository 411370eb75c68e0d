"""Class activation map attention (paper, section 2.1), shared by generator and discriminator."""

import torch
from torch.nn import functional as F

from .spectral import raw_weight


def class_activation_map(x, gap_fc, gmp_fc, conv1x1, activation):
    """Weigh the feature maps by what the auxiliary classifiers look at, and classify.

    x (N, C, H, W); gap_fc, gmp_fc: Linear C -> 1 without bias, fed with average and maximum pooling;
    conv1x1: 2C -> C; activation: a module. Returns (attended features (N, C, H, W), cam_logit (N, 2)).
    As in the official code, the features are multiplied by the *raw* weight, which in a spectral-normed
    layer is the weight before normalisation, while the logits use the normalised one.
    """
    gap = F.adaptive_avg_pool2d(x, 1)
    gap_logit = gap_fc(gap.view(x.shape[0], -1))
    gap_weight = raw_weight(gap_fc)
    gap = x * gap_weight.unsqueeze(2).unsqueeze(3)
    gmp = F.adaptive_max_pool2d(x, 1)
    gmp_logit = gmp_fc(gmp.view(x.shape[0], -1))
    gmp_weight = raw_weight(gmp_fc)
    gmp = x * gmp_weight.unsqueeze(2).unsqueeze(3)
    cam_logit = torch.cat([gap_logit, gmp_logit], 1)
    x = torch.cat([gap, gmp], 1)
    x = conv1x1(x)
    x = activation(x)
    return x, cam_logit
