"""The U-GAT-IT discriminator (paper, section 2.1; official class ``Discriminator``)."""

import torch
from torch import nn

from .attention import class_activation_map
from .spectral import spectral_norm


class Discriminator(nn.Module):
    """Spectral-normed patch discriminator with CAM attention; without ``cam`` (the ablation) its features go on as they are.

    Training builds n_layers=7 (global) and n_layers=5 (local). Raises ValueError where n_layers < 3.
    """

    def __init__(self, input_nc, ndf=64, n_layers=5, cam=True):
        super().__init__()
        if n_layers < 3:
            raise ValueError(f"n_layers must be 3 or more: {n_layers}")
        self.cam = cam
        model = [nn.ReflectionPad2d(1),
                 spectral_norm(nn.Conv2d(input_nc, ndf, 4, stride=2, bias=True)),
                 nn.LeakyReLU(0.2, True)]

        for i in range(1, n_layers - 2):
            mult = 2 ** (i - 1)
            model += [nn.ReflectionPad2d(1),
                      spectral_norm(nn.Conv2d(ndf * mult, ndf * mult * 2, 4, stride=2, bias=True)),
                      nn.LeakyReLU(0.2, True)]

        mult = 2 ** (n_layers - 2 - 1)
        model += [nn.ReflectionPad2d(1),
                  spectral_norm(nn.Conv2d(ndf * mult, ndf * mult * 2, 4, stride=1, bias=True)),
                  nn.LeakyReLU(0.2, True)]

        mult = 2 ** (n_layers - 2)
        if cam:
            self.gap_fc = spectral_norm(nn.Linear(ndf * mult, 1, bias=False))
            self.gmp_fc = spectral_norm(nn.Linear(ndf * mult, 1, bias=False))
            self.conv1x1 = nn.Conv2d(ndf * mult * 2, ndf * mult, 1, bias=True)
            self.leaky_relu = nn.LeakyReLU(0.2, True)

        self.pad = nn.ReflectionPad2d(1)
        self.conv = spectral_norm(nn.Conv2d(ndf * mult, 1, 4, stride=1, bias=False))

        self.model = nn.Sequential(*model)

    def forward(self, input):
        """input (N, input_nc, S, S) of the weights' dtype; n_layers=7 needs S > 64.

        Returns (out (N, 1, h, h), a logit per patch, cam_logit (N, 2) or None without CAM, heatmap (N, 1, h + 1, h + 1)).
        """
        x = self.model(input)
        if self.cam:
            x, cam_logit = class_activation_map(x, self.gap_fc, self.gmp_fc, self.conv1x1, self.leaky_relu)
        else:
            cam_logit = None
        heatmap = torch.sum(x, dim=1, keepdim=True)
        x = self.pad(x)
        out = self.conv(x)
        return out, cam_logit, heatmap
