"""DistilBERT: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "hidden_dim": 32}
pair = Port(lambda: t.DistilBertModel(t.DistilBertConfig(**small)), lambda: p.DistilBertModel(p.DistilBertConfig(**small)),
            inputs=[integers(2, 7, low=3, high=40)])
