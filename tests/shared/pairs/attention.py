"""A vision transformer's block: hardly a name in common, a dict comes back."""

from pairs.attention_paddle import Block
from pairs.attention_torch import ViTBlock
from parity.declare.inputs import normal
from parity.declare.port import Port
from parity.fixes.edit import Edit

pair = Port(ViTBlock, Block, inputs=[normal(2, 3, 32, 32)])

_FILE = "pairs.attention_paddle"
FAULTS = {
    "softmax over the queries": Edit(f"{_FILE}:Attention.forward", "axis=-1", "axis=-2"),
    "scale of the width, not of a head": Edit(f"{_FILE}:Attention.forward", "head ** -0.5", "c ** -0.5"),
    "gelu by tanh": Edit(f"{_FILE}:Block.forward",
                         "F.gelu(self.fc1(self.ln_2(h)))", "F.gelu(self.fc1(self.ln_2(h)), True)"),
    "no positions": Edit(f"{_FILE}:Block.forward", " + self.pos_embed", ""),
    "norm after, not before": (Edit(f"{_FILE}:Block.forward",
                                    "self.attn(self.ln_1(h))", "self.ln_1(self.attn(h))"),
                                "norm1, variable 'input[0]'", "self.attention(self.norm1(x))", "the twin has matmul"),
}
