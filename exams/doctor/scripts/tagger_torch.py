import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCAB, TAGS, T = 30, 5, 12


def corpus(n):
    x = torch.randint(1, VOCAB, (n, T))
    prev = torch.cat([torch.zeros(n, 1, dtype=torch.long), x[:, :-1]], 1)
    y = (x + prev) % TAGS
    return x, y


class Tagger(nn.Module):
    def __init__(self, emb=24, hidden=48):
        super().__init__()
        self.hidden = hidden
        self.word_embeddings = nn.Embedding(VOCAB, emb)
        self.lstm = nn.LSTM(emb, hidden)
        self.hidden2tag = nn.Linear(hidden, TAGS)

    def forward(self, sentences):
        e = self.word_embeddings(sentences.t())
        out, _ = self.lstm(e)
        return self.hidden2tag(out)


train_x, train_y = corpus(1500)
test_x, test_y = corpus(300)
model = Tagger()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(10):
    perm = torch.randperm(len(train_x))
    running = 0.0
    for i in range(0, len(perm), 50):
        idx = perm[i:i + 50]
        model.zero_grad()
        scores = model(train_x[idx])
        target = train_y[idx].t()
        loss = loss_fn(scores.reshape(-1, TAGS), target.reshape(-1))
        loss.backward()
        optimizer.step()
        running += loss.item()
    with torch.no_grad():
        pred = model(test_x).argmax(-1).t()
        acc = (pred == test_y).float().mean().item()
    print(f"epoch {epoch} loss {running / 30:.3f} test acc {acc:.3f}")
