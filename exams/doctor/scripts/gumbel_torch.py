"""Discrete latent classifier: an endless IterableDataset, Gumbel-softmax with annealed temperature, multi-label targets."""
import itertools
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import IterableDataset, DataLoader
import parity

torch.manual_seed(3)
torch.set_num_threads(1)
STEPS = 20
LABELS, FEATURES, SLOTS, CODES = 6, 24, 4, 8


class Stream(IterableDataset):
    def __iter__(self):
        g = torch.Generator().manual_seed(11)
        mix = torch.randn(FEATURES, LABELS, generator=torch.Generator().manual_seed(5))
        while True:
            x = torch.randn(FEATURES, generator=g)
            yield x, ((x @ mix) > 4.0).float()


class DiscreteEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_logits = nn.Sequential(nn.Linear(FEATURES, 64), nn.GELU(), nn.Linear(64, SLOTS * CODES))
        self.codebooks = nn.ParameterList([nn.Parameter(torch.randn(CODES, 16) * 0.3) for _ in range(SLOTS)])
        self.register_buffer("tau", torch.tensor(2.0))

    def forward(self, x):
        logits = self.to_logits(x).view(-1, SLOTS, CODES)
        if self.training:
            choice = F.gumbel_softmax(logits, tau=self.tau.item(), hard=True)
        else:
            choice = F.one_hot(logits.argmax(-1), CODES).float()
        parts = [choice[:, i] @ book for i, book in enumerate(self.codebooks)]
        return torch.cat(parts, dim=1), logits


encoder = DiscreteEncoder()
head = nn.Linear(16 * SLOTS, LABELS)
params = itertools.chain(encoder.parameters(), head.parameters())
optimizer = torch.optim.RAdam(params, lr=5e-3)
pos_weight = torch.full((LABELS,), 3.0)
criterion = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
stream = iter(DataLoader(Stream(), batch_size=64))
history = []

with parity.doctor({"encoder": encoder, "head": head}, {"optimizer": optimizer}) as d:
    for step in range(STEPS):
        d.mark()
        x, y = next(stream)
        encoder.tau.fill_(max(0.5, 2.0 * 0.995 ** step))
        z, logits = encoder(x)
        usage = F.softmax(logits, -1).mean(0)
        diversity = -(usage * (usage + 1e-8).log()).sum(-1).mean()
        loss = criterion(head(z), y) - 0.02 * diversity
        for p in itertools.chain(encoder.parameters(), head.parameters()):
            p.grad = None
        loss.backward()
        optimizer.step()
        history.append(loss.item())
        if step % 10 == 9:
            encoder.eval(), head.eval()
            with torch.no_grad():
                f1 = ((head(encoder(x)[0]) > 0).float() == y).float().mean()
            print(f"step {step} accuracy {f1:.3f}")
            encoder.train(), head.train()
print(d)
