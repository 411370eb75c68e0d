"""Metric learning with batch-hard triplets; batches without a useful triplet are skipped."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Sampler, TensorDataset
import parity

torch.manual_seed(7)
torch.set_num_threads(1)
EPOCHS = 2


class PK(Sampler):
    """Batches of P identities with K pictures each."""

    def __init__(self, labels, p=6, k=4, batches=10):
        self.labels, self.p, self.k, self.batches = labels, p, k, batches

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            chosen = torch.randperm(int(self.labels.max()) + 1)[:self.p]
            yield [i for c in chosen for i in
                   (self.labels == c).nonzero().flatten()[torch.randperm(int((self.labels == c).sum()))[:self.k]].tolist()]


labels = torch.arange(20).repeat_interleave(12)
prototypes = torch.randn(20, 1, 12, 12)
images = prototypes[labels] + 0.8 * torch.randn(240, 1, 12, 12)
loader = DataLoader(TensorDataset(images, labels), batch_sampler=PK(labels))


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 9, 16)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.normalize(self.fc(x.flatten(1)), dim=1)


def batch_hard(e, y, margin=0.2):
    distance = torch.cdist(e, e)
    same = y[:, None] == y[None]
    hardest_positive = distance.masked_fill(~same, 0).amax(1)
    hardest_negative = distance.masked_fill(same, 9).amin(1)
    violation = hardest_positive - hardest_negative + margin
    return violation[violation > 0]


net = Embed()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
losses = []
with parity.doctor(net, optimizer) as d:
    for epoch in range(EPOCHS):
        for x, y in d.watch(loader):
            useful = batch_hard(net(x), y)
            losses.append(useful.sum().item() / len(x))
            if len(useful) == 0:
                continue
            loss = useful.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
print(d)
