"""Inception v3 as FID and KID use it: the network that TensorFlow published on 2015-12-05, in its PyTorch port's state-dict keys.

The port is ``pt_inception-2015-12-05-6726825d.pth`` (pytorch-fid; torch-fidelity's ``weights-inception-2015-12-05-6726825d.pth``
is the same). It differs from torchvision's Inception v3: average pooling does not count the padding, the last block pools by
maximum, the classifier has 1008 classes, there is no auxiliary one.
"""

import torch
from torch import nn
from torch.nn import functional

from .pictures import image_to_tensor, resize_like_tensorflow


class InceptionV3(nn.Module):
    """The features are the 2048 means of the last block. size: side of the pictures; published numbers are of 299."""

    def __init__(self, size=299):
        super().__init__()
        self.size = size
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3)
        self.Mixed_5b = InceptionA(192, 32)
        self.Mixed_5c = InceptionA(256, 64)
        self.Mixed_5d = InceptionA(288, 64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, 128)
        self.Mixed_6c = InceptionC(768, 160)
        self.Mixed_6d = InceptionC(768, 160)
        self.Mixed_6e = InceptionC(768, 192)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE(1280, average_pool)
        self.Mixed_7c = InceptionE(2048, max_pool)
        self.fc = nn.Linear(2048, 1008)  # in the file, and of no use here
        for parameter in self.parameters():
            parameter.requires_grad = False

    def prepare(self, image):
        """An RGB picture of any size -> (3, size, size), -1 to 1, in the weights' precision, resized as TensorFlow 1 does."""
        picture = image_to_tensor(image, self.fc.weight)
        resized = resize_like_tensorflow(picture, self.size)
        prepared = (resized - 128) / 128
        return prepared

    def forward(self, pictures):
        """Prepared pictures (N, 3, size, size), size 75 or more -> features (N, 2048)."""
        x = self.Conv2d_1a_3x3(pictures)
        x = self.Conv2d_2a_3x3(x)
        x = self.Conv2d_2b_3x3(x)
        x = functional.max_pool2d(x, 3, 2)
        x = self.Conv2d_3b_1x1(x)
        x = self.Conv2d_4a_3x3(x)
        x = functional.max_pool2d(x, 3, 2)
        x = self.Mixed_5b(x)
        x = self.Mixed_5c(x)
        x = self.Mixed_5d(x)
        x = self.Mixed_6a(x)
        x = self.Mixed_6b(x)
        x = self.Mixed_6c(x)
        x = self.Mixed_6d(x)
        x = self.Mixed_6e(x)
        x = self.Mixed_7a(x)
        x = self.Mixed_7b(x)
        x = self.Mixed_7c(x)
        features = torch.mean(x, dim=[2, 3])
        return features


class BasicConv2d(nn.Module):
    """Convolution, batch norm with epsilon 0.001, ReLU."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x):
        """(N, in_channels, H, W) -> (N, out_channels, H', W')."""
        x = self.conv(x)
        x = self.bn(x)
        x = functional.relu(x)
        return x


class InceptionA(nn.Module):
    """35 x 35: 1x1, 5x5, 3x3 twice, pooling -> 224 + pool_features channels."""

    def __init__(self, in_channels, pool_features):
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 64, 1)
        self.branch5x5_1 = BasicConv2d(in_channels, 48, 1)
        self.branch5x5_2 = BasicConv2d(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, padding=1)
        self.branch_pool = BasicConv2d(in_channels, pool_features, 1)

    def forward(self, x):
        """(N, in_channels, H, W) -> (N, 224 + pool_features, H, W)."""
        branch1x1 = self.branch1x1(x)
        branch5x5 = self.branch5x5_2(self.branch5x5_1(x))
        branch3x3dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        branch_pool = self.branch_pool(average_pool(x))
        out = torch.cat([branch1x1, branch5x5, branch3x3dbl, branch_pool], 1)
        return out


class InceptionB(nn.Module):
    """35 x 35 to 17 x 17: 480 channels more."""

    def __init__(self, in_channels):
        super().__init__()
        self.branch3x3 = BasicConv2d(in_channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, stride=2)

    def forward(self, x):
        """(N, in_channels, H, W) -> (N, in_channels + 480, (H - 1) // 2, (W - 1) // 2)."""
        branch3x3 = self.branch3x3(x)
        branch3x3dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        branch_pool = functional.max_pool2d(x, 3, 2)
        out = torch.cat([branch3x3, branch3x3dbl, branch_pool], 1)
        return out


class InceptionC(nn.Module):
    """17 x 17: 1x1, 7x7 as 1x7 and 7x1, the same twice, pooling -> 768 channels."""

    def __init__(self, in_channels, channels_7x7):
        super().__init__()
        self.branch1x1 = BasicConv2d(in_channels, 192, 1)
        self.branch7x7_1 = BasicConv2d(in_channels, channels_7x7, 1)
        self.branch7x7_2 = BasicConv2d(channels_7x7, channels_7x7, (1, 7), padding=(0, 3))
        self.branch7x7_3 = BasicConv2d(channels_7x7, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = BasicConv2d(in_channels, channels_7x7, 1)
        self.branch7x7dbl_2 = BasicConv2d(channels_7x7, channels_7x7, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = BasicConv2d(channels_7x7, channels_7x7, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = BasicConv2d(channels_7x7, channels_7x7, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = BasicConv2d(channels_7x7, 192, (1, 7), padding=(0, 3))
        self.branch_pool = BasicConv2d(in_channels, 192, 1)

    def forward(self, x):
        """(N, in_channels, H, W) -> (N, 768, H, W)."""
        branch1x1 = self.branch1x1(x)
        branch7x7 = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        branch7x7dbl = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        branch7x7dbl = self.branch7x7dbl_5(self.branch7x7dbl_4(branch7x7dbl))
        branch_pool = self.branch_pool(average_pool(x))
        out = torch.cat([branch1x1, branch7x7, branch7x7dbl, branch_pool], 1)
        return out


class InceptionD(nn.Module):
    """17 x 17 to 8 x 8: 512 channels more."""

    def __init__(self, in_channels):
        super().__init__()
        self.branch3x3_1 = BasicConv2d(in_channels, 192, 1)
        self.branch3x3_2 = BasicConv2d(192, 320, 3, stride=2)
        self.branch7x7x3_1 = BasicConv2d(in_channels, 192, 1)
        self.branch7x7x3_2 = BasicConv2d(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = BasicConv2d(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = BasicConv2d(192, 192, 3, stride=2)

    def forward(self, x):
        """(N, in_channels, H, W) -> (N, in_channels + 512, (H - 1) // 2, (W - 1) // 2)."""
        branch3x3 = self.branch3x3_2(self.branch3x3_1(x))
        branch7x7x3 = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        branch7x7x3 = self.branch7x7x3_4(branch7x7x3)
        branch_pool = functional.max_pool2d(x, 3, 2)
        out = torch.cat([branch3x3, branch7x7x3, branch_pool], 1)
        return out


class InceptionE(nn.Module):
    """8 x 8: 1x1, 3x3 as 1x3 beside 3x1, the same after a 3x3, pooling -> 2048 channels.

    pool: ``average_pool``, or ``max_pool`` in the last block (an oddity of the published network).
    """

    def __init__(self, in_channels, pool):
        super().__init__()
        self.pool = pool
        self.branch1x1 = BasicConv2d(in_channels, 320, 1)
        self.branch3x3_1 = BasicConv2d(in_channels, 384, 1)
        self.branch3x3_2a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = BasicConv2d(in_channels, 448, 1)
        self.branch3x3dbl_2 = BasicConv2d(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = BasicConv2d(in_channels, 192, 1)

    def forward(self, x):
        """(N, in_channels, H, W) -> (N, 2048, H, W)."""
        branch1x1 = self.branch1x1(x)
        branch3x3 = self.branch3x3_1(x)
        branch3x3 = torch.cat([self.branch3x3_2a(branch3x3), self.branch3x3_2b(branch3x3)], 1)
        branch3x3dbl = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branch3x3dbl = torch.cat([self.branch3x3dbl_3a(branch3x3dbl), self.branch3x3dbl_3b(branch3x3dbl)], 1)
        branch_pool = self.branch_pool(self.pool(x))
        out = torch.cat([branch1x1, branch3x3, branch3x3dbl, branch_pool], 1)
        return out


def average_pool(x):
    """3 x 3, same size; the padding does not count."""
    pooled = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return pooled


def max_pool(x):
    """3 x 3, same size."""
    pooled = functional.max_pool2d(x, 3, 1, 1)
    return pooled
