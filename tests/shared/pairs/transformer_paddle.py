"""The transformer encoder in Paddle."""

from paddle import nn


class Encoder(nn.Layer):
    def __init__(self, words=50, width=16):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        layer = nn.TransformerEncoderLayer(width, nhead=2, dim_feedforward=32, dropout=0.0, activation="relu")
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(width, words)

    def forward(self, words, mask):
        x = self.embedding(words) * 4.0
        x = self.encoder(x, src_mask=mask)
        return self.out(x)
