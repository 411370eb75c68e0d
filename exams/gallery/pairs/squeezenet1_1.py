"""SqueezeNet 1.1: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.squeezenet1_1(num_classes=10), lambda: p.squeezenet1_1(num_classes=10), inputs=[normal(2, 3, 64, 64)])
