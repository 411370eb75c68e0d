import math
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
V, T, D = 10, 8, 32


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=128):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div)
        pe[:, 0, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[:x.size(1)].transpose(0, 1)


class OrderNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        self.pe = PositionalEncoding(D)
        layer = nn.TransformerEncoderLayer(D, 4, 64, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 1)
        self.fc = nn.Linear(D, 2)

    def forward(self, x):
        return self.fc(self.enc(self.pe(self.emb(x))).mean(1))


def sample(n):
    x = torch.randint(2, V, (n, T))
    where = torch.stack([torch.randperm(T)[:2] for _ in range(n)])
    x.scatter_(1, where, torch.tensor([[0, 1]]).expand(n, 2))
    return x, (where[:, 0] < where[:, 1]).long()


model = OrderNet()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
xv, yv = sample(400)
for step in range(1, 301):
    x, y = sample(48)
    loss = F.cross_entropy(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 60 == 0:
        with torch.no_grad():
            acc = torch.cat([model(c) for c in xv.split(48)]).argmax(1).eq(yv).float().mean().item()
        print(f"step {step} loss {loss.item():.3f} acc {acc:.3f}")
