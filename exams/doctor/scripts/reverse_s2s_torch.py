import random
import torch
import torch.nn as nn

random.seed(0)
torch.manual_seed(0)
PAD, SOS, EOS, V, MAXLEN = 0, 1, 2, 11, 6


def make_batch(n):
    src = torch.full((n, MAXLEN), PAD)
    tgt_in = torch.full((n, MAXLEN + 1), PAD)
    tgt_out = torch.full((n, MAXLEN + 1), PAD)
    for i in range(n):
        k = random.randint(2, MAXLEN)
        w = [random.randint(3, V - 1) for _ in range(k)]
        src[i, :k] = torch.tensor(w)
        tgt_in[i, :k + 1] = torch.tensor([SOS] + w[::-1])
        tgt_out[i, :k + 1] = torch.tensor(w[::-1] + [EOS])
    return src, tgt_in, tgt_out


class Seq2Seq(nn.Module):
    def __init__(self, h=64):
        super().__init__()
        self.emb = nn.Embedding(V, 32, padding_idx=PAD)
        self.enc = nn.GRU(32, h, batch_first=True)
        self.dec = nn.GRU(32, h, batch_first=True)
        self.attn = nn.Linear(h, h, bias=False)
        self.out = nn.Linear(2 * h, V)

    def forward(self, src, tgt):
        enc, state = self.enc(self.emb(src))
        dec, _ = self.dec(self.emb(tgt), state)
        score = torch.bmm(self.attn(dec), enc.transpose(1, 2))
        score = score.masked_fill((src == PAD)[:, None], -1e9)
        ctx = torch.bmm(score.softmax(-1), enc)
        return self.out(torch.cat([dec, ctx], -1))


def exact_match(model, n=200):
    src, _, want = make_batch(n)
    seq = torch.full((n, 1), SOS)
    with torch.no_grad():
        for _ in range(MAXLEN + 1):
            seq = torch.cat([seq, model(src, seq)[:, -1].argmax(-1, keepdim=True)], 1)
    hits = 0
    for got, ref in zip(seq[:, 1:].tolist(), want.tolist()):
        got = got[:got.index(EOS)] if EOS in got else got
        hits += got == ref[:ref.index(EOS)]
    return hits / n


model = Seq2Seq()
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optim = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(1, 181):
    src, tin, tout = make_batch(64)
    logits = model(src, tin)
    loss = criterion(logits.reshape(-1, V), tout.reshape(-1))
    optim.zero_grad()
    loss.backward()
    optim.step()
    if step % 60 == 0:
        print(f"step {step} loss {loss.item():.3f} exact match {exact_match(model):.3f}")
