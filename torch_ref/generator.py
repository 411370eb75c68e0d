"""The U-GAT-IT generator (paper, section 2.1; official class ``ResnetGenerator``)."""

import torch
from torch import nn
from torch.nn import functional as F

from .attention import class_activation_map
from .blocks import ResnetAdaILNBlock, ResnetBlock
from .norms import LIN, InstanceNorm2d


class ResnetGenerator(nn.Module):
    """Encoder, CAM attention, AdaLIN decoder.

    Training uses n_blocks=4. ``light`` feeds the pooled features to FC; else FC's first matrix is
    4 ngf * (img_size/4)^2 wide, and the input must be img_size x img_size.
    Raises ValueError where n_blocks < 0.
    """

    def __init__(self, input_nc, output_nc, ngf=64, n_blocks=6, img_size=256, light=False):
        super().__init__()
        if n_blocks < 0:
            raise ValueError(f"n_blocks must not be negative: {n_blocks}")
        self.input_nc = input_nc
        self.output_nc = output_nc
        self.ngf = ngf
        self.n_blocks = n_blocks
        self.img_size = img_size
        self.light = light

        DownBlock = []
        DownBlock += [nn.ReflectionPad2d(3),
                      nn.Conv2d(input_nc, ngf, 7, bias=False),
                      InstanceNorm2d(ngf),
                      nn.ReLU(True)]

        n_downsampling = 2
        for i in range(n_downsampling):
            mult = 2**i
            DownBlock += [nn.ReflectionPad2d(1),
                          nn.Conv2d(ngf * mult, ngf * mult * 2, 3, stride=2, bias=False),
                          InstanceNorm2d(ngf * mult * 2),
                          nn.ReLU(True)]

        mult = 2**n_downsampling
        for _ in range(n_blocks):
            DownBlock += [ResnetBlock(ngf * mult, use_bias=False)]

        self.gap_fc = nn.Linear(ngf * mult, 1, bias=False)
        self.gmp_fc = nn.Linear(ngf * mult, 1, bias=False)
        self.conv1x1 = nn.Conv2d(ngf * mult * 2, ngf * mult, 1, bias=True)
        self.relu = nn.ReLU(True)

        fc_in = ngf * mult if light else ngf * mult * (img_size // mult) ** 2
        FC = [nn.Linear(fc_in, ngf * mult, bias=False),
              nn.ReLU(True),
              nn.Linear(ngf * mult, ngf * mult, bias=False),
              nn.ReLU(True)]
        self.gamma = nn.Linear(ngf * mult, ngf * mult, bias=False)
        self.beta = nn.Linear(ngf * mult, ngf * mult, bias=False)

        for i in range(n_blocks):
            setattr(self, f"UpBlock1_{i + 1}", ResnetAdaILNBlock(ngf * mult, use_bias=False))

        UpBlock2 = []
        for i in range(n_downsampling):
            mult = 2 ** (n_downsampling - i)
            UpBlock2 += [nn.Upsample(scale_factor=2, mode="nearest"),
                         nn.ReflectionPad2d(1),
                         nn.Conv2d(ngf * mult, ngf * mult // 2, 3, bias=False),
                         LIN(ngf * mult // 2),
                         nn.ReLU(True)]

        UpBlock2 += [nn.ReflectionPad2d(3),
                     nn.Conv2d(ngf, output_nc, 7, bias=False),
                     nn.Tanh()]

        self.DownBlock = nn.Sequential(*DownBlock)
        self.FC = nn.Sequential(*FC)
        self.UpBlock2 = nn.Sequential(*UpBlock2)

    def forward(self, input):
        """input (N, input_nc, S, S), S a multiple of 4, of the weights' dtype.

        Returns (out (N, output_nc, S, S) in [-1, 1], cam_logit (N, 2), heatmap (N, 1, S/4, S/4)).
        """
        x = self.DownBlock(input)
        x, cam_logit = class_activation_map(x, self.gap_fc, self.gmp_fc, self.conv1x1, self.relu)
        heatmap = torch.sum(x, dim=1, keepdim=True)
        if self.light:
            x_ = F.adaptive_avg_pool2d(x, 1)
            x_ = self.FC(x_.view(x_.shape[0], -1))
        else:
            x_ = self.FC(x.view(x.shape[0], -1))
        gamma = self.gamma(x_)
        beta = self.beta(x_)
        for i in range(self.n_blocks):
            x = getattr(self, f"UpBlock1_{i + 1}")(x, gamma, beta)
        out = self.UpBlock2(x)
        return out, cam_logit, heatmap
