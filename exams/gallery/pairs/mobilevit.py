"""MobileViT: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.mobilevit import MobileViT_XXS
from timm import create_model

from parity import Port, normal

pair = Port(lambda: create_model("mobilevit_xxs", num_classes=10), lambda: MobileViT_XXS(class_num=10),
            inputs=[normal(2, 3, 64, 64)])
