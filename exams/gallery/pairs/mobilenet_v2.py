"""MobileNetV2: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.mobilenet_v2(width_mult=0.25, num_classes=10), lambda: p.mobilenet_v2(scale=0.25, num_classes=10),
            inputs=[normal(2, 3, 32, 32)])
