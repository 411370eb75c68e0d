"""DLA: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.dla import DLA as Twin
from timm.models.dla import DLA as Net
from timm.models.dla import DlaBottleneck

from parity import Port, normal

small = {"levels": [1, 1, 1, 2, 2, 1], "channels": [8, 8, 16, 16, 32, 32]}
pair = Port(lambda: Net(num_classes=10, block=DlaBottleneck, **small), lambda: Twin(class_num=10, **small),
            inputs=[normal(2, 3, 64, 64)])
