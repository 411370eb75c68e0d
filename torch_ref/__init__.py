"""The reference: the official U-GAT-IT networks in PyTorch, with the official state-dict keys."""

from .attention import class_activation_map
from .blocks import ResnetAdaILNBlock, ResnetBlock
from .discriminator import Discriminator
from .generator import ResnetGenerator
from .losses import (
    ADV_WEIGHT,
    CAM_WEIGHT,
    CYCLE_WEIGHT,
    IDENTITY_WEIGHT,
    adversarial_loss,
    cam_loss,
    cycle_loss,
    identity_loss,
)
from .norms import DECODER_NORMS, GN, ILN, IN, LIN, LN, AdaIN, AdaLIN, InstanceNorm2d, adaILN
from .spectral import raw_weight, spectral_norm
from .training import Training

__all__ = [
    "ADV_WEIGHT",
    "CAM_WEIGHT",
    "CYCLE_WEIGHT",
    "DECODER_NORMS",
    "GN",
    "IDENTITY_WEIGHT",
    "ILN",
    "IN",
    "LIN",
    "LN",
    "AdaIN",
    "AdaLIN",
    "Discriminator",
    "InstanceNorm2d",
    "ResnetAdaILNBlock",
    "ResnetBlock",
    "ResnetGenerator",
    "Training",
    "adaILN",
    "adversarial_loss",
    "cam_loss",
    "class_activation_map",
    "cycle_loss",
    "identity_loss",
    "raw_weight",
    "spectral_norm",
]
