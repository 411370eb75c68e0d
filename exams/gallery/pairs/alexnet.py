"""AlexNet: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.alexnet(num_classes=10), lambda: p.alexnet(num_classes=10), inputs=[normal(2, 3, 224, 224)])
