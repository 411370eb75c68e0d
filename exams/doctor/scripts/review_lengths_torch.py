import torch
import torch.nn as nn

torch.manual_seed(3)
VOCAB, T, N = 40, 24, 600


def make(n):
    """Padded sequences of ids (0 is the pad); the label is whether the last word is of the upper half."""
    length = torch.randint(3, T + 1, (n,))
    ids = torch.randint(1, VOCAB, (n, T))
    ids[torch.arange(T)[None] >= length[:, None]] = 0
    last = ids[torch.arange(n), length - 1]
    return ids, length, (last > VOCAB // 2).long()


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, 24, padding_idx=0)
        self.gru = nn.GRU(24, 32, batch_first=True)
        self.fc = nn.Linear(32, 2)

    def forward(self, ids, length):
        out, _ = self.gru(self.embed(ids))
        last = out[torch.arange(len(ids)), length - 1]
        return self.fc(last)


train, test = make(N), make(200)
net = Sentiment()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(6):
    perm = torch.randperm(N)
    total = 0
    for i in range(0, N, 50):
        b = perm[i:i + 50]
        loss = nn.functional.cross_entropy(net(train[0][b], train[1][b]), train[2][b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print(f"epoch {epoch}: {total / (N // 50):.4f}")
with torch.no_grad():
    acc = (net(test[0], test[1]).argmax(1) == test[2]).float().mean().item()
print("test accuracy", acc)
