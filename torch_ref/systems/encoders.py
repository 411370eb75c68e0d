"""Encoders of content and of style, and the decoder, of MUNIT and UNIT."""

from torch import nn

from .conv_blocks import Conv2dBlock, ResBlocks


class StyleEncoder(nn.Module):
    """A picture's style, without any norm; four steps down (official: ``n_downsample=4``)."""

    def __init__(self, n_downsample, input_dim, dim, style_dim):
        super().__init__()
        model = [Conv2dBlock(input_dim, dim, 7, 1, 3)]
        for i in range(n_downsample):
            output_dim = dim * 2 if i < 2 else dim
            model += [Conv2dBlock(dim, output_dim, 4, 2, 1)]
            dim = output_dim
        model += [nn.AdaptiveAvgPool2d(1), nn.Conv2d(dim, style_dim, 1)]
        self.model = nn.Sequential(*model)

    def forward(self, x):
        """x (N, input_dim, H, W) -> (N, style_dim, 1, 1)."""
        out = self.model(x)
        return out


class ContentEncoder(nn.Module):
    """A picture's content, with instance norm; ``output_dim`` channels."""

    def __init__(self, n_downsample, n_res, input_dim, dim):
        super().__init__()
        model = [Conv2dBlock(input_dim, dim, 7, 1, 3, "in")]
        for _ in range(n_downsample):
            model += [Conv2dBlock(dim, dim * 2, 4, 2, 1, "in")]
            dim *= 2
        model += [ResBlocks(n_res, dim)]
        self.model = nn.Sequential(*model)
        self.output_dim = dim

    def forward(self, x):
        """x (N, input_dim, H, W) -> (N, output_dim, H / 2^n_downsample, W / 2^n_downsample)."""
        out = self.model(x)
        return out


class Decoder(nn.Module):
    """Residual blocks with the norm ``res_norm``, then steps up with layer norm."""

    def __init__(self, n_upsample, n_res, dim, output_dim, res_norm):
        super().__init__()
        model = [ResBlocks(n_res, dim, res_norm)]
        for _ in range(n_upsample):
            model += [nn.Upsample(scale_factor=2, mode="nearest"), Conv2dBlock(dim, dim // 2, 5, 1, 2, "ln")]
            dim //= 2
        model += [Conv2dBlock(dim, output_dim, 7, 1, 3, "none", "tanh")]
        self.model = nn.Sequential(*model)

    def forward(self, x):
        """x (N, dim, H, W) -> (N, output_dim, 2^n_upsample H, 2^n_upsample W) in [-1, 1]."""
        out = self.model(x)
        return out
