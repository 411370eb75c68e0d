"""MobileNetV3 small, the first blocks: `paddle.vision.models` beside a definition of ours."""

from paddle.vision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3

from pairs import mobilenet_torch
from parity.declare.inputs import normal
from parity.declare.port import Port
from parity.fixes.edit import Edit

CONFIG = [(16, 3, 16, 16, True, "relu", 2), (16, 3, 72, 24, False, "relu", 2), (24, 3, 88, 24, False, "relu", 1),
          (24, 5, 96, 40, True, "hardswish", 2), (40, 5, 240, 40, True, "hardswish", 1)]


def twin():
    rows = [InvertedResidualConfig(*row) for row in CONFIG]
    net = MobileNetV3(rows, last_channel=32, num_classes=10)
    return net


# Dropout draws other random numbers in the two frameworks, so train mode is left out.
pair = Port(mobilenet_torch.MobileNetV3, twin, inputs=[normal(2, 3, 32, 32)], modes=["eval"])

_FILE = "paddle.vision.models.mobilenetv3"
FAULTS = {
    "squeeze from the wrong activation": (Edit(f"{_FILE}:SqueezeExcitation._scale", "scale = self.activation(scale)",
                                              "scale = scale"),
                                          "scale = F.relu(self.down(scale))", "the reference has relu there"),
    "scale added, not multiplied": Edit(f"{_FILE}:SqueezeExcitation.forward", "scale * input", "scale + input"),
    "residual dropped": (Edit(f"{_FILE}:InvertedResidual.forward",
                              "paddle.add(identity, x)", "x"),
                         "return x + h if self.residual else h", "the reference has add there"),
    "epsilon of the norm": (Edit(f"{_FILE}:MobileNetV3.__init__",
                                 "epsilon=0.001", "epsilon=0.00101"), "MobileNetV3.first_norm, variable 'output'",
                            "eps=0.001", "layers.append(norm_layer(out_channels))"),
    "padding of the depthwise convolution": (Edit(f"{_FILE}:InvertedResidual.__init__", "(filter_size - 1) // 2",
                                                 "(filter_size + 1) // 2"), "depth_conv, variable 'output'",
                                             "kernel // 2, groups=expanded", "(2, 16, 9, 9) in the twin"),
}
