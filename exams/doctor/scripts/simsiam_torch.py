"""SimSiam: two views, predictor, stop-gradient; a linear probe watches on detached features with its own optimizer."""
import torch
from torch import nn
from torch.nn import functional as F
import parity

EPOCHS = 2


class SimSiam(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv1d(1, 16, 5, 2, 2), nn.BatchNorm1d(16), nn.ReLU(),
                                      nn.Conv1d(16, 32, 5, 2, 2), nn.BatchNorm1d(32), nn.ReLU(), nn.Flatten())
        self.projector = nn.Sequential(nn.Linear(256, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(),
                                       nn.Linear(64, dim, bias=False), nn.BatchNorm1d(dim, affine=False))
        self.predictor = nn.Sequential(nn.Linear(dim, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, dim))

    def forward(self, a, b):
        ha, hb = self.backbone(a), self.backbone(b)
        za, zb = self.projector(ha), self.projector(hb)
        pa, pb = self.predictor(za), self.predictor(zb)
        loss = -(F.cosine_similarity(pa, zb.detach()).mean() + F.cosine_similarity(pb, za.detach()).mean()) / 2
        return loss, ha.detach()


def signals(n):
    y = torch.randint(0, 4, (n,))
    t = torch.linspace(0, 6.28, 32)
    return torch.sin((y[:, None] + 1) * t + torch.rand(n, 1))[:, None] * 1.5, y


def augment(x):
    x = x * (0.6 + 0.8 * torch.rand(len(x), 1, 1)) + 0.3 * torch.randn_like(x)
    return torch.where(torch.rand_like(x) < 0.15, torch.zeros_like(x), x)


def main():
    torch.manual_seed(13)
    torch.set_num_threads(1)
    model, probe = SimSiam(), nn.Linear(256, 4)
    base = [*model.backbone.parameters(), *model.projector.parameters()]
    optimizer = torch.optim.SGD([{"params": base}, {"params": model.predictor.parameters(), "fixed": True}],
                                lr=0.05, momentum=0.9, weight_decay=1e-4)
    probe_optimizer = torch.optim.Adam(probe.parameters(), lr=1e-2)
    x, y = signals(640)
    losses, probe_losses = [], []
    with parity.doctor({"simsiam": model, "probe": probe}, [optimizer, probe_optimizer]) as d:
        for epoch in range(EPOCHS):
            for index in d.watch(torch.randperm(640).split(64)):
                loss, h = model(augment(x[index]), augment(x[index]))
                probe_loss = F.cross_entropy(probe(h), y[index])
                optimizer.zero_grad()
                probe_optimizer.zero_grad()
                (loss + probe_loss).backward()
                optimizer.step()
                probe_optimizer.step()
                losses.append(loss.item())
                probe_losses.append(probe_loss.item())
    return d, losses, probe_losses


d, losses, probe_losses = main()
print(d)
