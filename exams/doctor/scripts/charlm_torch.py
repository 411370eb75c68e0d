import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

import parity

torch.manual_seed(2)
TEXT = ("the quick brown fox jumps over the lazy dog and the cat sat on the mat while it rained in the hills " * 12)
VOCABULARY = sorted(set(TEXT))
DATA = torch.tensor([VOCABULARY.index(char) for char in TEXT])
BLOCK, BATCH, WIDTH, ACCUMULATE = 16, 8, 32, 2


class CharTransformer(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, WIDTH)
        self.position = nn.Parameter(0.02 * torch.randn(BLOCK, WIDTH))
        self.blocks = nn.ModuleList([
            nn.TransformerEncoderLayer(WIDTH, 4, 64, dropout=0.1, batch_first=True, norm_first=True) for _ in range(2)
        ])
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocabulary, bias=False)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        h = self.embed(tokens) + self.position[:tokens.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        for block in self.blocks:
            h = block(h, src_mask=mask, is_causal=True)
        return self.head(self.norm(h))


def batch():
    starts = torch.randint(0, len(DATA) - BLOCK - 1, (BATCH,))
    x = torch.stack([DATA[i:i + BLOCK] for i in starts])
    y = torch.stack([DATA[i + 1:i + BLOCK + 1] for i in starts])
    return x, y


@torch.no_grad()
def sample(length=6):
    model.eval()
    tokens = torch.zeros(1, 1, dtype=torch.long)
    for _ in range(length):
        logits = model(tokens[:, -BLOCK:])[:, -1]
        tokens = torch.cat([tokens, torch.multinomial(logits.softmax(-1), 1)], dim=1)
    model.train()
    return "".join(VOCABULARY[i] for i in tokens[0])


model = CharTransformer(len(VOCABULARY))
decay = [p for p in model.parameters() if p.dim() >= 2]
plain = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=3e-3)
scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10))
best = math.inf

with parity.doctor(model, optimizer) as d:
    for step in range(10):
        d.mark()
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for _ in range(ACCUMULATE):
            x, y = batch()
            logits = model(x)
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), y.reshape(-1)) / ACCUMULATE
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if step % 5 == 4:
            sample()
        best = min(best, total)
print(d)
