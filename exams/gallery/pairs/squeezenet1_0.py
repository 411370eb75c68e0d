"""SqueezeNet 1.0: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.squeezenet1_0(num_classes=10), lambda: p.squeezenet1_0(num_classes=10), inputs=[normal(2, 3, 64, 64)])
