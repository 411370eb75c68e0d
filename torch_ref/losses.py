"""The four losses (paper, section 2.2), each a 0-d tensor, and their weights in the official command line."""

import torch
from torch.nn import functional as F

ADV_WEIGHT = 1
CYCLE_WEIGHT = 10
IDENTITY_WEIGHT = 10
CAM_WEIGHT = 1000


def adversarial_loss(logit, real):
    """Least-squares GAN loss of logits of any shape against 1 (``real`` true) or 0 (false).

    Logits None, the CAM's where there is no CAM: the number 0.
    """
    if logit is None:
        return 0
    target = torch.full_like(logit, float(real))
    loss = F.mse_loss(logit, target)
    return loss


def cycle_loss(reconstruction, image):
    """Mean absolute difference of two image batches. Raises ValueError where their shapes differ."""
    if reconstruction.shape != image.shape:
        raise ValueError(f"shapes differ: {reconstruction.shape}, {image.shape}")
    loss = F.l1_loss(reconstruction, image)
    return loss


def identity_loss(identity, image):
    """Mean absolute difference of two image batches. Raises ValueError where their shapes differ."""
    if identity.shape != image.shape:
        raise ValueError(f"shapes differ: {identity.shape}, {image.shape}")
    loss = F.l1_loss(identity, image)
    return loss


def cam_loss(logit, positive):
    """Binary cross entropy of CAM logits (N, 2) against 1 (``positive`` true) or 0 (false); None, without CAM: the number 0."""
    if logit is None:
        return 0
    target = torch.full_like(logit, float(positive))
    loss = F.binary_cross_entropy_with_logits(logit, target)
    return loss
