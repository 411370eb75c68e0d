"""DeBERTa v2: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
pair = Port(lambda: t.DebertaV2Model(t.DebertaV2Config(**small)), lambda: p.DebertaV2Model(p.DebertaV2Config(**small)),
            inputs={"input_ids": integers(2, 7, low=3, high=40), "output_hidden_states": False})
