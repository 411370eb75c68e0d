"""MoCo: a query encoder, a momentum encoder for the keys, and a queue of old keys."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
EPOCHS = 2


class TwoViews(Dataset):
    def __init__(self, n=640, dim=32):
        g = torch.Generator().manual_seed(0)
        self.base = torch.randn(n, dim, generator=g)

    def __len__(self):
        return len(self.base)

    def augment(self, x):
        x = x + 0.3 * torch.randn_like(x)
        return x * (torch.rand_like(x) > 0.2)

    def __getitem__(self, i):
        return self.augment(self.base[i]), self.augment(self.base[i])


class MoCo(nn.Module):
    def __init__(self, dim=32, feat=24, size=256, momentum=0.97, temperature=0.2):
        super().__init__()
        self.m, self.t = momentum, temperature
        self.query_encoder = nn.Sequential(nn.Linear(dim, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, feat))
        self.key_encoder = copy.deepcopy(self.query_encoder)
        for p in self.key_encoder.parameters():
            p.requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(size, feat), dim=1))
        self.ptr = 0

    @torch.no_grad()
    def momentum_update(self):
        for k, q in zip(self.key_encoder.parameters(), self.query_encoder.parameters()):
            k.mul_(self.m).add_(q, alpha=1 - self.m)

    @torch.no_grad()
    def enqueue(self, keys):
        n = keys.shape[0]
        self.queue[self.ptr:self.ptr + n] = keys
        self.ptr = (self.ptr + n) % self.queue.shape[0]

    def forward(self, a, b):
        q = F.normalize(self.query_encoder(a), dim=1)
        with torch.no_grad():
            self.momentum_update()
            k = F.normalize(self.key_encoder(b), dim=1)
        positive = (q * k).sum(dim=1, keepdim=True)
        negative = q @ self.queue.clone().t()
        logits = torch.cat([positive, negative], dim=1) / self.t
        labels = torch.zeros(len(q), dtype=torch.long)
        self.enqueue(k)
        return logits, labels


loader = DataLoader(TwoViews(), batch_size=64, shuffle=True, drop_last=True)
moco = MoCo()
optimizer = torch.optim.SGD(moco.query_encoder.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * len(loader))
history = []

with parity.doctor({"moco": moco}, {"sgd": optimizer}) as d:
    for epoch in range(EPOCHS):
        for a, b in d.watch(loader):
            logits, labels = moco(a, b)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            history.append(loss.item())
print(d)
