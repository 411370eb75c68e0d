"""Blocks of MUNIT and UNIT: padding, convolution, norm and activation in one, residual blocks of them, and an MLP."""

from torch import nn

from ..norms import InstanceNorm2d
from .norms import AdaptiveInstanceNorm2d, LayerNorm

NORMS = {"in": InstanceNorm2d, "ln": LayerNorm, "adain": AdaptiveInstanceNorm2d, "none": lambda dim: None}
ACTIVATIONS = {"relu": lambda: nn.ReLU(True), "lrelu": lambda: nn.LeakyReLU(0.2, True), "tanh": nn.Tanh, "none": lambda: None}


class Conv2dBlock(nn.Module):
    """Reflection padding, convolution, norm (``NORMS``), activation (``ACTIVATIONS``). Raises KeyError where one is unknown."""

    def __init__(self, input_dim, output_dim, kernel_size, stride, padding, norm="none", activation="relu"):
        super().__init__()
        self.pad = nn.ReflectionPad2d(padding)
        self.norm = NORMS[norm](output_dim)
        self.activation = ACTIVATIONS[activation]()
        self.conv = nn.Conv2d(input_dim, output_dim, kernel_size, stride)

    def forward(self, x):
        """x (N, input_dim, H, W) -> (N, output_dim, h, w)."""
        out = self.conv(self.pad(x))
        if self.norm is not None:
            out = self.norm(out)
        if self.activation is not None:
            out = self.activation(out)
        return out


class ResBlock(nn.Module):
    """Two convolutions and a shortcut; no activation follows the sum."""

    def __init__(self, dim, norm="in", activation="relu"):
        super().__init__()
        self.model = nn.Sequential(Conv2dBlock(dim, dim, 3, 1, 1, norm, activation),
                                   Conv2dBlock(dim, dim, 3, 1, 1, norm, "none"))

    def forward(self, x):
        """x (N, dim, H, W) -> the same shape."""
        out = self.model(x)
        out = out + x
        return out


class ResBlocks(nn.Module):
    """Residual blocks in a row."""

    def __init__(self, num_blocks, dim, norm="in", activation="relu"):
        super().__init__()
        self.model = nn.Sequential(*[ResBlock(dim, norm, activation) for _ in range(num_blocks)])

    def forward(self, x):
        """x (N, dim, H, W) -> the same shape."""
        out = self.model(x)
        return out


class LinearBlock(nn.Module):
    """Linear layer and activation (``ACTIVATIONS``)."""

    def __init__(self, input_dim, output_dim, activation="relu"):
        super().__init__()
        self.fc = nn.Linear(input_dim, output_dim)
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x):
        """x (N, input_dim) -> (N, output_dim)."""
        out = self.fc(x)
        if self.activation is not None:
            out = self.activation(out)
        return out


class MLP(nn.Module):
    """Three linear layers or more, ReLU between them."""

    def __init__(self, input_dim, output_dim, dim, n_blk=3):
        super().__init__()
        model = [LinearBlock(input_dim, dim)]
        model += [LinearBlock(dim, dim) for _ in range(n_blk - 2)]
        model += [LinearBlock(dim, output_dim, "none")]
        self.model = nn.Sequential(*model)

    def forward(self, x):
        """x (N, ...) of input_dim values each -> (N, output_dim)."""
        out = self.model(x.reshape(x.shape[0], -1))
        return out
