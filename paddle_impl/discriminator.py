"""The U-GAT-IT discriminator (paper, section 2.1; official class ``Discriminator``)."""

from paddle import nn

from .attention import class_activation_map
from .functional import channel_sum
from .layers import LeakyReLU, conv2d, linear
from .spectral import spectral_norm


class Discriminator(nn.Layer):
    """Spectral-normed patch discriminator with CAM attention; without ``cam`` (the ablation) its features go on as they are.

    Training builds n_layers=7 (global) and n_layers=5 (local). Raises ValueError where n_layers < 3.
    """

    def __init__(self, input_nc, ndf=64, n_layers=5, cam=True):
        super().__init__()
        if n_layers < 3:
            raise ValueError(f"n_layers must be 3 or more: {n_layers}")
        self.cam = cam
        model = [nn.Pad2D(1, mode="reflect"),
                 spectral_norm(conv2d(input_nc, ndf, 4, stride=2, bias=True)),
                 LeakyReLU(0.2)]

        for i in range(1, n_layers - 2):
            mult = 2 ** (i - 1)
            model += [nn.Pad2D(1, mode="reflect"),
                      spectral_norm(conv2d(ndf * mult, ndf * mult * 2, 4, stride=2, bias=True)),
                      LeakyReLU(0.2)]

        mult = 2 ** (n_layers - 2 - 1)
        model += [nn.Pad2D(1, mode="reflect"),
                  spectral_norm(conv2d(ndf * mult, ndf * mult * 2, 4, stride=1, bias=True)),
                  LeakyReLU(0.2)]

        mult = 2 ** (n_layers - 2)
        if cam:
            self.gap_fc = spectral_norm(linear(ndf * mult, 1, bias=False))
            self.gmp_fc = spectral_norm(linear(ndf * mult, 1, bias=False))
            self.conv1x1 = conv2d(ndf * mult * 2, ndf * mult, 1, bias=True)
            self.leaky_relu = LeakyReLU(0.2)

        self.pad = nn.Pad2D(1, mode="reflect")
        self.conv = spectral_norm(conv2d(ndf * mult, 1, 4, stride=1, bias=False))

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
        heatmap = channel_sum(x)
        x = self.pad(x)
        out = self.conv(x)
        return out, cam_logit, heatmap
