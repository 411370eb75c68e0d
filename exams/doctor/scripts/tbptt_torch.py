"""Character language model, truncated backpropagation through time, state carried over the chunks."""
import torch
from torch import nn

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
text = "the quick brown fox jumps over the lazy dog. a stitch in time saves nine. all that glitters is not gold. " * 60
vocab = sorted(set(text))
stoi = {c: i for i, c in enumerate(vocab)}
data = torch.tensor([stoi[c] for c in text])
BATCH, BPTT = 16, 20
EPOCHS = 1


def batchify(ids, batch):
    n = len(ids) // batch
    return ids[:n * batch].view(batch, n).t().contiguous()


def get_batch(source, i):
    length = min(BPTT, len(source) - 1 - i)
    return source[i:i + length], source[i + 1:i + 1 + length]


class CharLM(nn.Module):
    def __init__(self, n_tokens, dim=64):
        super().__init__()
        self.embed = nn.Embedding(n_tokens, dim)
        self.rnn = nn.LSTM(dim, dim, num_layers=2, dropout=0.1)
        self.drop = nn.Dropout(0.1)
        self.decode = nn.Linear(dim, n_tokens)

    def forward(self, x, state):
        h, state = self.rnn(self.drop(self.embed(x)), state)
        return self.decode(self.drop(h)), state


def repackage(state):
    return tuple(s.detach() for s in state)


train_data = batchify(data, BATCH)
lm = CharLM(len(vocab))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(lm.parameters(), lr=5e-3)
history = []

with parity.doctor(lm, optimizer) as d:
    for epoch in range(EPOCHS):
        lm.train()
        state = (torch.zeros(2, BATCH, 64), torch.zeros(2, BATCH, 64))
        for i in range(0, train_data.size(0) - 1, BPTT):
            d.mark()
            inputs, targets = get_batch(train_data, i)
            state = repackage(state)
            optimizer.zero_grad()
            logits, state = lm(inputs, state)
            loss = criterion(logits.view(-1, len(vocab)), targets.reshape(-1))
            loss.backward()
            nn.utils.clip_grad_norm_(lm.parameters(), 0.5)
            optimizer.step()
            history.append(loss.item())
print(d)
