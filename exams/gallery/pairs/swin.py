"""Swin: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.legendary_models.swin_transformer import SwinTransformer as Twin
from timm.models.swin_transformer import SwinTransformer as Net

from parity import Port, normal

small = {"img_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, **small), inputs=[normal(2, 3, 32, 32)])
