"""AttentionGAN (Tang et al. 2019), as Ha0Tang/AttentionGAN has it: CycleGAN whose generators attend.

A generator makes nine pictures and ten masks; the tenth mask keeps the input.
"""

import torch
from torch import nn
from torch.nn import functional as F

from ..norms import InstanceNorm2d
from . import cyclegan
from .initialisers import normal_weights


class ResnetBlock(nn.Module):
    """Two convolutions with instance norm, and a shortcut (official class ``resnet_block``)."""

    def __init__(self, channel):
        super().__init__()
        self.conv1 = nn.Conv2d(channel, channel, 3)
        self.conv1_norm = InstanceNorm2d(channel)
        self.conv2 = nn.Conv2d(channel, channel, 3)
        self.conv2_norm = InstanceNorm2d(channel)

    def forward(self, input):
        """input (N, channel, H, W), H and W above 1 -> the same shape."""
        x = F.pad(input, (1, 1, 1, 1), mode="reflect")
        x = F.relu(self.conv1_norm(self.conv1(x)))
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        x = self.conv2_norm(self.conv2(x))
        out = input + x
        return out


class ResnetGenerator(nn.Module):
    """One encoder, a decoder of pictures and one of masks (official class ``ResnetGenerator_our``).

    n_masks: masks, of which the last is the input's. Raises ValueError where n_blocks < 0 or n_masks < 2.
    """

    def __init__(self, input_nc, output_nc, ngf=64, n_blocks=9, n_masks=10):
        super().__init__()
        if n_blocks < 0 or n_masks < 2:
            raise ValueError(f"n_blocks must not be negative, and n_masks 2 or more: {n_blocks}, {n_masks}")
        self.output_nc = output_nc
        self.n_masks = n_masks
        self.conv1 = nn.Conv2d(input_nc, ngf, 7)
        self.conv1_norm = InstanceNorm2d(ngf)
        self.conv2 = nn.Conv2d(ngf, ngf * 2, 3, stride=2, padding=1)
        self.conv2_norm = InstanceNorm2d(ngf * 2)
        self.conv3 = nn.Conv2d(ngf * 2, ngf * 4, 3, stride=2, padding=1)
        self.conv3_norm = InstanceNorm2d(ngf * 4)
        self.resnet_blocks = nn.Sequential(*[ResnetBlock(ngf * 4) for _ in range(n_blocks)])

        self.deconv1_content = nn.ConvTranspose2d(ngf * 4, ngf * 2, 3, stride=2, padding=1, output_padding=1)
        self.deconv1_norm_content = InstanceNorm2d(ngf * 2)
        self.deconv2_content = nn.ConvTranspose2d(ngf * 2, ngf, 3, stride=2, padding=1, output_padding=1)
        self.deconv2_norm_content = InstanceNorm2d(ngf)
        self.deconv3_content = nn.Conv2d(ngf, output_nc * (n_masks - 1), 7)

        self.deconv1_attention = nn.ConvTranspose2d(ngf * 4, ngf * 2, 3, stride=2, padding=1, output_padding=1)
        self.deconv1_norm_attention = InstanceNorm2d(ngf * 2)
        self.deconv2_attention = nn.ConvTranspose2d(ngf * 2, ngf, 3, stride=2, padding=1, output_padding=1)
        self.deconv2_norm_attention = InstanceNorm2d(ngf)
        self.deconv3_attention = nn.Conv2d(ngf, n_masks, 1)
        normal_weights(self)

    def forward(self, input):
        """input (N, input_nc, H, W), H and W multiples of 4; input_nc = output_nc.

        Returns (out (N, output_nc, H, W), images (N, output_nc (n_masks - 1), H, W) in [-1, 1], attention (N, n_masks, H, W),
        which sums to 1).
        """
        x = F.pad(input, (3, 3, 3, 3), mode="reflect")
        x = F.relu(self.conv1_norm(self.conv1(x)))
        x = F.relu(self.conv2_norm(self.conv2(x)))
        x = F.relu(self.conv3_norm(self.conv3(x)))
        x = self.resnet_blocks(x)

        content = F.relu(self.deconv1_norm_content(self.deconv1_content(x)))
        content = F.relu(self.deconv2_norm_content(self.deconv2_content(content)))
        content = F.pad(content, (3, 3, 3, 3), mode="reflect")
        images = torch.tanh(self.deconv3_content(content))

        attention = F.relu(self.deconv1_norm_attention(self.deconv1_attention(x)))
        attention = F.relu(self.deconv2_norm_attention(self.deconv2_attention(attention)))
        attention = F.softmax(self.deconv3_attention(attention), dim=1)

        masks = torch.chunk(attention, self.n_masks, dim=1)
        out = input * masks[-1]
        for image, mask in zip(torch.chunk(images, self.n_masks - 1, dim=1), masks[:-1], strict=True):
            out = out + image * mask
        return out, images, attention


class Training(cyclegan.Training):
    """The step of the official ``AttentionGANModel``: CycleGAN's, with these generators."""

    Generator = ResnetGenerator

    def translate(self, network, image):
        """image (N, input_nc, H, W) -> the generator's picture."""
        out, _, _ = network(image)
        return out
