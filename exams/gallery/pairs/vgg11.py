"""VGG-11, its features: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.vgg11().features, lambda: p.vgg11().features, inputs=[normal(2, 3, 32, 32)])
