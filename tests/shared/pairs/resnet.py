"""ResNet-18: `paddle.vision.models` beside a definition of ours with other names and other nesting."""

import paddle.vision.models

from pairs.resnet_torch import ResNet18
from parity.declare.inputs import normal
from parity.declare.port import Port
from parity.fixes.edit import Edit

pair = Port(ResNet18, lambda: paddle.vision.models.resnet18(num_classes=10), inputs=[normal(2, 3, 32, 32)])

_FILE = "paddle.vision.models.resnet"
FAULTS = {
    "a ReLU too many": Edit(f"{_FILE}:BasicBlock.forward", "out = self.bn2(out)", "out = self.relu(self.bn2(out))"),
    # The two sides compute the shortcut at different times.
    "shortcut from the wrong place": Edit(f"{_FILE}:BasicBlock.forward", "identity = self.downsample(x)",
                                          "identity = self.downsample(x * 1.0001)"),
    "residual scaled": Edit(f"{_FILE}:BasicBlock.forward", "out += identity", "out += 0.999 * identity"),
    "stem without activation": (Edit(f"{_FILE}:ResNet.forward", "x = self.relu(x)", "x = x"),
                                "pairs/resnet_torch.py:39   x = F.relu(self.stem_norm", "the reference has relu there"),
    "pooled twice": Edit(f"{_FILE}:ResNet.forward", "x = self.avgpool(x)", "x = self.avgpool(x) / 2"),
}
