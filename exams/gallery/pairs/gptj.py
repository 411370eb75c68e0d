"""GPT-J: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 2, "rotary_dim": 4, "n_positions": 64, "use_cache": False}
pair = Port(lambda: t.GPTJModel(t.GPTJConfig(**small)), lambda: p.GPTJModel(p.GPTJConfig(**small)),
            inputs=[integers(2, 7, low=3, high=40)])
