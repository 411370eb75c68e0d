"""A tagger: integers go in, nested tuples come out, one argument has another name in the twin."""

from pairs import tagger_paddle, tagger_torch
from parity.declare.inputs import integers, uniform
from parity.declare.port import Port
from parity.fixes.edit import Edit

# In eval mode Paddle's recurrent kernel (3.3.1) keeps nothing for a backward, and raises in it; so train mode it is.
pair = Port(tagger_torch.Tagger, tagger_paddle.Tagger, inputs=[integers(2, 6, high=50)], modes=["train"],
            keywords={"lengths": uniform(2, 6, 1)}, twin_keywords={"lengths": "mask"})

_FILE = "pairs.tagger_paddle"
FAULTS = {
    "batch and time exchanged": Edit(f"{_FILE}:Tagger.__init__",
                                     'direction="bidirect")', 'direction="bidirect", time_major=True)'),
    "softmax without logarithm": Edit(f"{_FILE}:Tagger.forward", "F.log_softmax(", "F.softmax("),
    "the mask forgotten": Edit(f"{_FILE}:Tagger.forward", "self.gru(x * mask)", "self.gru(x)"),
    "states exchanged": Edit(f"{_FILE}:Tagger.forward", "(hidden, cell, last)", "(cell, hidden, last)"),
    "a word too far": Edit(f"{_FILE}:Tagger.forward",
                           "self.word_embedding(token_ids)", "self.word_embedding((token_ids + 1) % 50)"),
}
