import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
PAD, MASK, V, T = 0, 1, 24, 14


def corpus(n):
    start, stride = torch.randint(2, V, (n, 1)), torch.randint(1, 4, (n, 1))
    x = (start - 2 + stride * torch.arange(T)) % (V - 2) + 2
    length = torch.randint(8, T + 1, (n, 1))
    return torch.where(torch.arange(T) < length, x, torch.full_like(x, PAD))


class Bert(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.tok = nn.Embedding(V, d, padding_idx=PAD)
        self.pos = nn.Embedding(T, d)
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 64, 0.0, batch_first=True), 2)
        self.head = nn.Linear(d, V)

    def forward(self, x):
        h = self.tok(x) + self.pos.weight
        return self.head(self.enc(h, src_key_padding_mask=x == PAD))


model = Bert()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in range(200):
    x = corpus(48)
    pick = (torch.rand(x.shape) < 0.15) & (x != PAD)
    labels = torch.where(pick, x, torch.full_like(x, -100))
    inp = torch.where(pick & (torch.rand(x.shape) < 0.9), torch.full_like(x, MASK), x)
    loss = F.cross_entropy(model(inp).view(-1, V), labels.view(-1), ignore_index=-100)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 0:
        print(f"step {step} mlm loss {loss.item():.4f}")
