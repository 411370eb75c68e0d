"""The discriminator of MUNIT and UNIT, at several scales of the picture."""

import torch
from torch import nn
from torch.nn import functional as F

from .conv_blocks import Conv2dBlock
from .initialisers import normal_weights


class MsImageDis(nn.Module):
    """``num_scales`` patch discriminators, each for a picture half as large as the one before; least-squares losses."""

    def __init__(self, input_dim, dim=64, n_layer=4, num_scales=3):
        super().__init__()
        self.input_dim = input_dim
        self.dim = dim
        self.n_layer = n_layer
        self.cnns = nn.ModuleList([self.make_net() for _ in range(num_scales)])
        normal_weights(self)

    def make_net(self):
        """One of the discriminators."""
        dim = self.dim
        model = [Conv2dBlock(self.input_dim, dim, 4, 2, 1, "none", "lrelu")]
        for _ in range(self.n_layer - 1):
            model += [Conv2dBlock(dim, dim * 2, 4, 2, 1, "none", "lrelu")]
            dim *= 2
        model += [nn.Conv2d(dim, 1, 1)]
        return nn.Sequential(*model)

    def downsample(self, x):
        """x (N, C, H, W) -> half as large; what lies outside the picture does not count."""
        return F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)

    def forward(self, x):
        """x (N, input_dim, H, W) -> a list of (N, 1, h, w), logits per patch, the largest scale first."""
        outputs = []
        for model in self.cnns:
            outputs.append(model(x))
            x = self.downsample(x)
        return outputs

    def calc_dis_loss(self, input_fake, input_real):
        """The discriminators' loss, 0-d, summed over the scales."""
        outs0 = self.forward(input_fake)
        outs1 = self.forward(input_real)
        loss = 0
        for out0, out1 in zip(outs0, outs1, strict=True):
            loss = loss + torch.mean(out0**2) + torch.mean((out1 - 1) ** 2)
        return loss

    def calc_gen_loss(self, input_fake):
        """The generators' loss, 0-d, summed over the scales."""
        outs0 = self.forward(input_fake)
        loss = 0
        for out0 in outs0:
            loss = loss + torch.mean((out0 - 1) ** 2)
        return loss
