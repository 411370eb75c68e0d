"""The tagger in Paddle."""

from paddle import nn
from paddle.nn import functional as F


class Tagger(nn.Layer):
    def __init__(self, words=50, width=8, tags=5):
        super().__init__()
        self.word_embedding = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, direction="bidirect")
        self.gru = nn.GRU(2 * width, width)
        self.classifier = nn.Linear(width, tags)

    def forward(self, token_ids, mask):
        x = self.word_embedding(token_ids)
        x, (hidden, cell) = self.lstm(x)
        x, last = self.gru(x * mask)
        return F.log_softmax(self.classifier(x), axis=-1), (hidden, cell, last)
