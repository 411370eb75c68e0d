"""mBART: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 32,
         "decoder_ffn_dim": 32,
         "encoder_attention_heads": 2, "decoder_attention_heads": 2, "use_cache": False, "attention_dropout": 0.1,
         "activation_dropout": 0.0, "scale_embedding": True}
pair = Port(lambda: t.MBartModel(t.MBartConfig(**small)), lambda: p.MBartModel(p.MBartConfig(**small)),
            inputs={"input_ids": integers(2, 7, low=3, high=40), "decoder_input_ids": integers(2, 5, low=3, high=40)})
