"""GoogLeNet: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.googlenet(num_classes=10, init_weights=False), lambda: p.googlenet(num_classes=10),
            inputs=[normal(2, 3, 64, 64)])
