import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
V, T, MASK = 20, 10, 20


def sample(n):
    start = torch.randint(0, V, (n, 1))
    step = torch.randint(1, 4, (n, 1))
    return (start + step * torch.arange(T)) % V


def mask_tokens(x):
    labels = x.clone()
    m = torch.rand(x.shape) < 0.2
    m[:, 0] |= ~m.any(1)
    labels[~m] = -100
    x = x.clone()
    x[m] = MASK
    return x, labels


class Bert(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.tok, self.pos = nn.Embedding(V + 1, d), nn.Embedding(T, d)
        self.pooler = nn.Linear(d, d)
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(d, 4, 96, 0.0, batch_first=True), 2)
        self.lm = nn.Linear(d, V)

    def forward(self, x):
        h = self.enc(self.tok(x) + self.pos.weight)
        return self.lm(h)


net = Bert()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for step in range(500):
    x, lab = mask_tokens(sample(64))
    logits = net(x)
    loss = F.cross_entropy(logits.transpose(1, 2), lab, ignore_index=-100)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 99:
        m = lab != -100
        print("step", step + 1, "loss", round(loss.item(), 4), "masked acc", round((logits.argmax(-1)[m] == lab[m]).float().mean().item(), 4))
