"""PVT v2: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.pvt_v2 import PyramidVisionTransformerV2 as Twin
from timm.models.pvt_v2 import PyramidVisionTransformerV2 as Net

from parity import Port, normal

small = {"depths": [1, 1, 1, 1], "embed_dims": [8, 16, 24, 32], "num_heads": [1, 2, 2, 4], "sr_ratios": [8, 4, 2, 1],
         "mlp_ratios": [4, 4, 4, 4], "qkv_bias": True}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, img_size=64, **small),
            inputs=[normal(2, 3, 64, 64)])
