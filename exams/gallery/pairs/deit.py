"""DeiT, distilled: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.distilled_vision_transformer import DistilledVisionTransformer as Twin
from timm.models.deit import VisionTransformerDistilled as Net

from parity import Port, normal

small = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "qkv_bias": True}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, epsilon=1e-6, **small),
            inputs=[normal(2, 3, 32, 32)])
