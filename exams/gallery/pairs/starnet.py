"""StarNet: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.starnet import StarNet as Twin
from timm.models.starnet import StarNet as Net

from parity import Port, normal

small = {"base_dim": 8, "depths": [1, 1, 1, 1]}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, **small), inputs=[normal(2, 3, 32, 32)])
