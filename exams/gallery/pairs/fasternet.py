"""FasterNet: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.fasternet import FasterNet as Twin
from timm.models.fasternet import FasterNet as Net

from parity import Port, normal

small = {"embed_dim": 8, "depths": (1, 1, 2, 1), "feature_dim": 32}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, **small), inputs=[normal(2, 3, 64, 64)])
