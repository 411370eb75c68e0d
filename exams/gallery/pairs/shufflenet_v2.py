"""ShuffleNetV2: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.shufflenet_v2_x0_5(num_classes=10), lambda: p.shufflenet_v2_x0_5(num_classes=10),
            inputs=[normal(2, 3, 32, 32)])
