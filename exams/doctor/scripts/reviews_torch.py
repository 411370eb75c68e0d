import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence

random.seed(1)
torch.manual_seed(1)
POS, NEG = list(range(2, 12)), list(range(12, 22))
FILL = list(range(22, 60))


def review():
    L = random.randint(4, 40)
    label = random.randint(0, 1)
    words = [random.choice(FILL) for _ in range(L)]
    for k in random.sample(range(L), max(1, L // 8)):
        words[k] = random.choice(POS if label else NEG)
    return torch.tensor(words), label


def collate(batch):
    seqs, labels = zip(*batch)
    lengths = torch.tensor([len(s) for s in seqs])
    return pad_sequence(seqs, batch_first=True, padding_value=0), lengths, torch.tensor(labels)


class TransformerClassifier(nn.Module):
    def __init__(self, vocab=60, d=32):
        super().__init__()
        self.emb = nn.Embedding(vocab, d, padding_idx=0)
        self.pos = nn.Parameter(torch.randn(1, 40, d) * 0.02)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.1, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.fc = nn.Linear(d, 2)

    def forward(self, x, lengths):
        pad = torch.arange(x.size(1))[None] >= lengths[:, None]
        h = self.enc(self.emb(x) + self.pos[:, :x.size(1)], src_key_padding_mask=pad)
        keep = (~pad).unsqueeze(-1).float()
        return self.fc((h * keep).sum(1) / keep.sum(1))


train = [review() for _ in range(1280)]
test = [review() for _ in range(400)]
model = TransformerClassifier()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(6):
    model.train()
    random.shuffle(train)
    total = 0
    for i in range(0, len(train), 32):
        x, l, y = collate(train[i:i + 32])
        loss = loss_fn(model(x, l), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        total += loss.item()
    model.eval()
    with torch.no_grad():
        x, l, y = collate(test)
        acc = (model(x, l).argmax(1) == y).float().mean().item()
    print(f"epoch {epoch} loss {total / 40:.4f} acc {acc:.4f}")
