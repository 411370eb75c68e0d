"""Reverses sequences of different length: packed GRU encoder, decoder with attention and scheduled sampling."""
import random
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader
import parity

torch.manual_seed(9)
random.seed(9)
torch.set_num_threads(1)
EPOCHS, PAD, BOS = 2, 0, 1


class Encoder(nn.Module):
    def __init__(self, vocab=14, dim=48):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim, padding_idx=PAD)
        self.rnn = nn.GRU(dim, dim, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * dim, dim)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
        out, h = self.rnn(packed)
        out, _ = pad_packed_sequence(out, batch_first=True)
        return self.bridge(out), torch.tanh(self.bridge(torch.cat([h[0], h[1]], 1)))


class Decoder(nn.Module):
    def __init__(self, vocab=14, dim=48):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim, padding_idx=PAD)
        self.cell = nn.GRUCell(2 * dim, dim)
        self.out = nn.Linear(2 * dim, vocab)

    def forward(self, memory, mask, h, target, teacher):
        token, logits = torch.full((len(target),), BOS), []
        for t in range(target.shape[1]):
            score = (memory @ h[:, :, None]).squeeze(2).masked_fill(~mask, float("-inf"))
            context = (score.softmax(1)[:, :, None] * memory).sum(1)
            h = self.cell(torch.cat([self.embed(token), context], 1), h)
            logits.append(self.out(torch.cat([h, context], 1)))
            token = target[:, t] if random.random() < teacher else logits[-1].argmax(1)
        return torch.stack(logits, 1)


def collate(items):
    lengths = torch.tensor([len(i) for i in items])
    return pad_sequence(items, True, PAD), lengths, pad_sequence([i.flip(0) for i in items], True, PAD)


data = [torch.randint(2, 14, (random.randint(3, 9),)) for _ in range(320)]
loader = DataLoader(data, batch_size=32, shuffle=True, collate_fn=collate)
encoder, decoder = Encoder(), Decoder()
criterion = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=0.05)
optimizer = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=4e-3)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)
losses = []
with parity.doctor({"encoder": encoder, "decoder": decoder}, {"adam": optimizer}) as d:
    for epoch in range(EPOCHS):
        for source, lengths, target in d.watch(loader):
            memory, h = encoder(source, lengths)
            logits = decoder(memory, source != PAD, h, target, teacher=max(0.5, 1 - 0.02 * epoch))
            loss = criterion(logits.transpose(1, 2), target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
            optimizer.step()
            losses.append(loss.item())
        plateau.step(sum(losses[-10:]) / 10)
print(d)
