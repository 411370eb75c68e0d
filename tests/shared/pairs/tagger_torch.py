"""A word tagger in PyTorch: embedding, bidirectional LSTM, GRU, a tag for each word, and the states."""

from torch import nn


class Tagger(nn.Module):
    def __init__(self, words=50, width=8, tags=5):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(2 * width, width, batch_first=True)
        self.tags = nn.Linear(width, tags)

    def forward(self, words, lengths):
        x = self.embedding(words)
        x, (hidden, cell) = self.lstm(x)
        x, last = self.gru(x * lengths)
        return self.tags(x).log_softmax(-1), (hidden, cell, last)
