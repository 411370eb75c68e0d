"""BERT base, 2 x 64 tokens: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

base = {"type_vocab_size": 2}
pair = Port(lambda: t.BertModel(t.BertConfig(**base)), lambda: p.BertModel(p.BertConfig(**base)),
            inputs=[integers(2, 64, low=3, high=30000)])
