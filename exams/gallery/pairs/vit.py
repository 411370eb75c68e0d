"""ViT: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.vision_transformer import VisionTransformer as Twin
from timm.models.vision_transformer import VisionTransformer as Net

from parity import Port, normal

small = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "qkv_bias": True}
pair = Port(lambda: Net(num_classes=10, **small), lambda: Twin(class_num=10, epsilon=1e-6, **small),
            inputs=[normal(2, 3, 32, 32)])
