"""CLIP's vision encoder: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, normal

small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 32,
         "patch_size": 8}
pair = Port(lambda: t.CLIPVisionModel(t.CLIPVisionConfig(**small)), lambda: p.CLIPVisionModel(p.CLIPVisionConfig(**small)),
            inputs=[normal(2, 3, 32, 32)])
