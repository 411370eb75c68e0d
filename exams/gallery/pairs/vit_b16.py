"""ViT-B/16, two pictures of 224 pixels: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.vision_transformer import VisionTransformer as Twin
from timm.models.vision_transformer import VisionTransformer as Net

from parity import Port, normal

pair = Port(lambda: Net(), lambda: Twin(qkv_bias=True, epsilon=1e-6), inputs=[normal(2, 3, 224, 224)])
