"""VGG-11 with batch norm, the convolutional part: `paddle.vision.models` beside a definition of ours."""

from paddle.vision.models.vgg import VGG, make_layers

from pairs.vgg_torch import VGG11
from parity.declare.inputs import normal
from parity.declare.port import Port
from parity.fixes.edit import Edit

pair = Port(VGG11, lambda: VGG(make_layers([8, "M", 16, "M", 32, 32, "M", 64, 64, "M", 64, 64, "M"], batch_norm=True),
                               num_classes=0), inputs=[normal(2, 3, 32, 32)])

_FILE = "paddle.vision.models.vgg"
FAULTS = {
    "padding": Edit(f"{_FILE}:make_layers", "padding=1", "padding=2"),
    "epsilon of the norm": Edit(f"{_FILE}:make_layers", "nn.BatchNorm2D(v)", "nn.BatchNorm2D(v, epsilon=1.1e-5)"),
    "another activation": (Edit(f"{_FILE}:make_layers",
                                "nn.BatchNorm2D(v), nn.ReLU()", "nn.BatchNorm2D(v), nn.LeakyReLU()"),
                           "x = F.relu(norm(conv(x)))", "x = self.features(x)", "the twin has leaky_relu there"),
    "average for maximum pooling": (Edit(f"{_FILE}:make_layers", "nn.MaxPool2D(", "nn.AvgPool2D("),
                                    "x = F.max_pool2d(x, 2)", "x = self.features(x)", "the twin has avg_pool2d there"),
    "input scaled": Edit(f"{_FILE}:VGG.forward", "self.features(x)", "self.features(x / 255)"),
}
