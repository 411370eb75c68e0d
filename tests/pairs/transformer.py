"""`nn.TransformerEncoder` on both sides, behind an embedding, with a mask that is handed over by keyword."""

import numpy as np

from pairs import transformer_paddle, transformer_torch
from parity.faults.edit import Edit
from parity.inputs import integers
from parity.port import Port

MASK = np.triu(np.full((6, 6), -1e9, np.float32), 1)

pair = Port(transformer_torch.Encoder, transformer_paddle.Encoder, inputs={"words": integers(2, 6, high=50), "mask": MASK})

_FILE = "pairs.transformer_paddle"
FAULTS = {
    "norm first": (Edit(f"{_FILE}:Encoder.__init__", 'activation="relu"', 'activation="relu", normalize_before=True'),
                   "Encoder.encoder.layers.0"),
    "another activation": (Edit(f"{_FILE}:Encoder.__init__", 'activation="relu"', 'activation="gelu"'),
                           "Encoder.encoder.layers.0"),
    "the mask forgotten": (Edit(f"{_FILE}:Encoder.forward",
                                "src_mask=mask", "src_mask=None"), "Encoder.encoder.layers.0.self_attn"),
    "more heads": (Edit(f"{_FILE}:Encoder.__init__", "nhead=2", "nhead=4"), "Encoder.encoder.layers.0.self_attn"),
    "embedding not scaled": Edit(f"{_FILE}:Encoder.forward", "self.embedding(words) * 4.0", "self.embedding(words)"),
}
