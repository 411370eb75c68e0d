"""Twins: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.twins import ALTGVT as Twin
from timm.models.twins import Twins as Net
from torch.nn import LayerNorm

from parity import Port, normal

small = {"img_size": 64, "patch_size": 4, "embed_dims": [8, 16, 32], "num_heads": [1, 2, 4], "depths": [2, 2, 2],
         "sr_ratios": [4, 2, 1], "wss": [4, 4, 4], "mlp_ratios": [2, 2, 2]}
pair = Port(lambda: Net(num_classes=10, norm_layer=LayerNorm, **small), lambda: Twin(class_num=10, qkv_bias=True, **small),
            inputs=[normal(2, 3, 64, 64)])
