"""ELECTRA: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "embedding_size": 16}
pair = Port(lambda: t.ElectraModel(t.ElectraConfig(**small)), lambda: p.ElectraModel(p.ElectraConfig(**small)),
            inputs=[integers(2, 7, low=3, high=40)])
