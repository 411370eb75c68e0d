"""`nn.TransformerEncoder` on both sides, behind an embedding, with a mask that is handed over by keyword."""

import numpy as np

from pairs import transformer_paddle, transformer_torch
from parity.declare.inputs import integers
from parity.declare.port import Port
from parity.fixes.edit import Edit

MASK = np.triu(np.full((6, 6), -1e9, np.float32), 1)

pair = Port(transformer_torch.Encoder, transformer_paddle.Encoder, inputs={"words": integers(2, 6, high=50), "mask": MASK})

_FILE = "pairs.transformer_paddle"
FAULTS = {
    "norm first": (Edit(f"{_FILE}:Encoder.__init__", 'activation="relu"', 'activation="relu", normalize_before=True'),
                   "layers.0.self_attn, variable 'input[0]'", "last good  forward Encoder.encoder.layers.0 input[1]"),
    "another activation": (Edit(f"{_FILE}:Encoder.__init__", 'activation="relu"', 'activation="gelu"'),
                           "layers.0.dropout, variable 'input[0]'", "last good  forward Encoder.encoder.layers.0.linear1 output"),
    "the mask forgotten": (Edit(f"{_FILE}:Encoder.forward",
                                "src_mask=mask", "src_mask=None"),
                           "Encoder.encoder, variable 'input[1]'", "self.encoder(x, mask=mask)", "has no such value"),
    "more heads": Edit(f"{_FILE}:Encoder.__init__", "nhead=2", "nhead=4"),
    "embedding not scaled": Edit(f"{_FILE}:Encoder.forward", "self.embedding(words) * 4.0", "self.embedding(words)"),
}
