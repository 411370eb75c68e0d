import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
rng = np.random.RandomState(0)
words = ["good", "great", "fine", "bad", "awful", "poor", "film", "plot", "actor", "scene", "the", "a"]
vocab = {w: i + 1 for i, w in enumerate(words)}


def review():
    lab = rng.randint(2)
    tone = words[:3] if lab else words[3:6]
    toks = list(rng.choice(words[6:], 6)) + list(rng.choice(tone, 2))
    rng.shuffle(toks)
    return [vocab[w] for w in toks], lab


def batch(n):
    xs, ys = zip(*(review() for _ in range(n)))
    return torch.tensor(xs), torch.tensor(ys, dtype=torch.float32)


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(vocab) + 1, 16)
        self.lstm = nn.LSTM(16, 24, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        _, (h, _) = self.lstm(self.emb(x))
        return self.out(h[-1]).squeeze(1)


model = Sentiment()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
x_val, y_val = batch(300)
for step in range(1, 201):
    x, y = batch(32)
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step % 40 == 0:
        with torch.no_grad():
            acc = ((model(x_val) > 0).float() == y_val).float().mean().item()
        print(f"step {step} loss {loss.item():.3f} val acc {acc:.3f}")
