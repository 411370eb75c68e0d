"""mT5: transformers against PaddleNLP."""
import transformers as t
from paddlenlp import transformers as p

from parity import Port, integers

small = {"vocab_size": 40, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
pair = Port(lambda: t.MT5Model(t.MT5Config(**small)), lambda: p.MT5Model(p.MT5Config(**small)),
            inputs={"input_ids": integers(2, 7, low=3, high=40), "decoder_input_ids": integers(2, 5, low=3, high=40)})
