"""A small masked transformer encoder in PyTorch."""

from torch import nn


class Encoder(nn.Module):
    def __init__(self, words=50, width=16):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        layer = nn.TransformerEncoderLayer(width, nhead=2, dim_feedforward=32, dropout=0.0, activation="relu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, words)

    def forward(self, words, mask):
        x = self.embedding(words) * 4.0
        x = self.encoder(x, mask=mask)
        return self.out(x)
