"""GPT-2 with its head: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
         "max_position_embeddings": 64, "use_cache": False}
pair = Port(lambda: t.GPT2LMHeadModel(t.GPT2Config(**small)), lambda: p.GPTForCausalLM(p.GPTConfig(**small)),
            inputs=[integers(2, 7, low=3, high=40)])
