"""VGG-11 with batch norm (Simonyan and Zisserman 2014), convolutional part, in PyTorch: one loop, no Sequential."""

from torch import nn
from torch.nn import functional as F

WIDTHS = (8, 16, (32, 32), (64, 64), (64, 64))  # an eighth of the paper's


class VGG11(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs, self.norms, self.pooled = nn.ModuleList(), nn.ModuleList(), []
        wide = 3
        for group in WIDTHS:
            for out in group if isinstance(group, tuple) else (group,):
                self.convs.append(nn.Conv2d(wide, out, 3, padding=1))
                self.norms.append(nn.BatchNorm2d(out))
                self.pooled.append(False)
                wide = out
            self.pooled[-1] = True

    def forward(self, x):
        for conv, norm, pooled in zip(self.convs, self.norms, self.pooled, strict=True):
            x = F.relu(norm(conv(x)))
            if pooled:
                x = F.max_pool2d(x, 2)
        return F.adaptive_avg_pool2d(x, 7)
