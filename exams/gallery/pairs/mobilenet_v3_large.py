"""MobileNetV3 large: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.mobilenet_v3_large(num_classes=10), lambda: p.mobilenet_v3_large(num_classes=10),
            inputs=[normal(2, 3, 32, 32)])
