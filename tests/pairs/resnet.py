import paddle.vision.models
from pairs.resnet_torch import ResNet18

from parity.inputs import normal
from parity.port import Port

pair = Port(ResNet18, lambda: paddle.vision.models.resnet18(num_classes=10), inputs=[normal(2, 3, 32, 32)], name="resnet")
