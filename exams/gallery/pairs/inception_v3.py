"""Inception v3: torchvision against paddle.vision."""
from paddle.vision import models as p
from torchvision import models as t

from parity import Port, normal

pair = Port(lambda: t.inception_v3(num_classes=10, aux_logits=False, init_weights=False),
            lambda: p.inception_v3(num_classes=10), inputs=[normal(2, 3, 75, 75)])
