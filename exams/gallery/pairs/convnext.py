"""ConvNeXt: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.convnext import ConvNeXt as Twin
from timm.models.convnext import ConvNeXt as Net

from parity import Port, normal

small = {"depths": [1, 1, 2, 1], "dims": [8, 16, 24, 32]}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, **small), inputs=[normal(2, 3, 64, 64)])
