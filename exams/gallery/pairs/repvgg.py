"""RepVGG: timm against PaddleClas."""
from paddleclas.ppcls.arch.backbone.model_zoo.repvgg import RepVGG
from timm.models.byobnet import ByobNet, ByoModelCfg, _rep_vgg_bcfg

from parity import Port, normal

config = ByoModelCfg(blocks=_rep_vgg_bcfg(d=(1, 2, 1, 1), wf=(0.25, 0.25, 0.25, 0.25)), stem_type="rep", stem_chs=16)
pair = Port(lambda: ByobNet(config, num_classes=10), lambda: RepVGG([1, 2, 1, 1], [0.25] * 4, class_num=10),
            inputs=[normal(2, 3, 32, 32)])
