"""ResNet-50, four pictures of 224 pixels: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.resnet50(), lambda: p.resnet50(), inputs=[normal(4, 3, 224, 224)])
