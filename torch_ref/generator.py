"""The U-GAT-IT generator (paper, section 2.1; official class ``ResnetGenerator``)."""

import torch
from torch import nn
from torch.nn import functional as F

from .attention import class_activation_map
from .blocks import ResnetAdaILNBlock, ResnetBlock
from .norms import ADAPTIVE, InstanceNorm2d, decoder_norms


class ResnetGenerator(nn.Module):
    """Encoder, CAM attention, AdaLIN decoder.

    The ablation: ``decoder_norm`` "adain", "in", "ln" or "gn" (see ``DECODER_NORMS``); where it is not adaptive there are no
    FC, gamma and beta, and img_size and light change nothing. Without ``cam`` the encoder's features go on as they are.
    Training uses n_blocks=4. ``light`` feeds the pooled features to FC; else FC's first matrix is
    4 ngf * (img_size/4)^2 wide, and the input must be img_size x img_size.
    Raises ValueError where n_blocks < 0, and for an unknown decoder_norm.
    """

    def __init__(self, input_nc, output_nc, ngf=64, n_blocks=6, img_size=256, light=False, decoder_norm="adalin",
                 cam=True):
        super().__init__()
        if n_blocks < 0:
            raise ValueError(f"n_blocks must not be negative: {n_blocks}")
        block_norm, up_norm = decoder_norms(decoder_norm)
        self.input_nc = input_nc
        self.output_nc = output_nc
        self.ngf = ngf
        self.n_blocks = n_blocks
        self.img_size = img_size
        self.light = light
        self.adaptive = block_norm in ADAPTIVE
        self.cam = cam

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

        if cam:
            self.gap_fc = nn.Linear(ngf * mult, 1, bias=False)
            self.gmp_fc = nn.Linear(ngf * mult, 1, bias=False)
            self.conv1x1 = nn.Conv2d(ngf * mult * 2, ngf * mult, 1, bias=True)
            self.relu = nn.ReLU(True)

        if self.adaptive:
            fc_in = ngf * mult if light else ngf * mult * (img_size // mult) ** 2
            FC = [nn.Linear(fc_in, ngf * mult, bias=False),
                  nn.ReLU(True),
                  nn.Linear(ngf * mult, ngf * mult, bias=False),
                  nn.ReLU(True)]
            self.gamma = nn.Linear(ngf * mult, ngf * mult, bias=False)
            self.beta = nn.Linear(ngf * mult, ngf * mult, bias=False)

        UpBlock1 = ResnetAdaILNBlock if self.adaptive else ResnetBlock
        for i in range(n_blocks):
            setattr(self, f"UpBlock1_{i + 1}", UpBlock1(ngf * mult, use_bias=False, norm=block_norm))

        UpBlock2 = []
        for i in range(n_downsampling):
            mult = 2 ** (n_downsampling - i)
            UpBlock2 += [nn.Upsample(scale_factor=2, mode="nearest"),
                         nn.ReflectionPad2d(1),
                         nn.Conv2d(ngf * mult, ngf * mult // 2, 3, bias=False),
                         up_norm(ngf * mult // 2),
                         nn.ReLU(True)]

        UpBlock2 += [nn.ReflectionPad2d(3),
                     nn.Conv2d(ngf, output_nc, 7, bias=False),
                     nn.Tanh()]

        self.DownBlock = nn.Sequential(*DownBlock)
        if self.adaptive:
            self.FC = nn.Sequential(*FC)
        self.UpBlock2 = nn.Sequential(*UpBlock2)

    def forward(self, input):
        """input (N, input_nc, S, S), S a multiple of 4, of the weights' dtype.

        Returns (out (N, output_nc, S, S) in [-1, 1], cam_logit (N, 2) or None without CAM, heatmap (N, 1, S/4, S/4)).
        """
        x = self.DownBlock(input)
        if self.cam:
            x, cam_logit = class_activation_map(x, self.gap_fc, self.gmp_fc, self.conv1x1, self.relu)
        else:
            cam_logit = None
        heatmap = torch.sum(x, dim=1, keepdim=True)
        if self.adaptive:
            if self.light:
                x_ = F.adaptive_avg_pool2d(x, 1)
                x_ = self.FC(x_.view(x_.shape[0], -1))
            else:
                x_ = self.FC(x.view(x.shape[0], -1))
            gamma = self.gamma(x_)
            beta = self.beta(x_)
        for i in range(self.n_blocks):
            block = getattr(self, f"UpBlock1_{i + 1}")
            x = block(x, gamma, beta) if self.adaptive else block(x)
        out = self.UpBlock2(x)
        return out, cam_logit, heatmap
