import random
import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
torch.manual_seed(0)
SOS, V, T = 0, 12, 6


def batch(n):
    src = torch.randint(1, V, (n, T))
    return src, src.sort(dim=1).values


class Encoder(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.emb, self.rnn = nn.Embedding(V, h), nn.GRU(h, h, batch_first=True)

    def forward(self, x):
        return self.rnn(self.emb(x))


class Decoder(nn.Module):
    def __init__(self, h):
        super().__init__()
        self.emb, self.rnn = nn.Embedding(V, h), nn.GRUCell(2 * h, h)
        self.wa, self.ua, self.va = nn.Linear(h, h), nn.Linear(h, h), nn.Linear(h, 1)
        self.out = nn.Linear(2 * h, V)

    def forward(self, tok, h, memory):
        e = self.va(torch.tanh(self.wa(h)[:, None] + self.ua(memory)))
        ctx = (e.softmax(1) * memory).sum(1)
        h = self.rnn(torch.cat([self.emb(tok), ctx], 1), h)
        return self.out(torch.cat([h, ctx], 1)), h


enc, dec = Encoder(48), Decoder(48)
opt_e = torch.optim.Adam(enc.parameters(), lr=4e-3)
opt_d = torch.optim.Adam(dec.parameters(), lr=4e-3)


def run(src, tgt, forcing):
    memory, h = enc(src)
    h, tok, loss, out = h[0], torch.full((len(src),), SOS), 0.0, []
    for t in range(T):
        logit, h = dec(tok, h, memory)
        loss = loss + F.cross_entropy(logit, tgt[:, t])
        guess = logit.argmax(1)
        out.append(guess)
        tok = tgt[:, t] if random.random() < forcing else guess
    return loss / T, torch.stack(out, 1)


for step in range(1, 141):
    src, tgt = batch(64)
    loss, _ = run(src, tgt, max(0.2, 1 - step / 140))
    opt_e.zero_grad()
    opt_d.zero_grad()
    loss.backward()
    opt_e.step()
    opt_d.step()
    if step % 35 == 0 or step == 1:
        with torch.no_grad():
            src, tgt = batch(300)
            val, out = run(src, tgt, 0.0)
        print(f"step {step} loss {loss.item():.3f} val {val.item():.3f} exact {(out == tgt).all(1).float().mean().item():.3f}")
