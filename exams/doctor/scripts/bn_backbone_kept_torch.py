import torch
from torch import nn

torch.manual_seed(0)


class FineTune(nn.Module):
    """A pretrained body with batch norm, kept as it was: its statistics too, even in train()."""

    def __init__(self, body):
        super().__init__()
        self.body = body.requires_grad_(False)
        self.head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))

    def train(self, mode=True):
        super().train(mode)
        self.body.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            h = self.body(x)
        return self.head(h)


def labelled(n, shift):
    x = torch.randn(n, 10) + shift
    return x, ((x - shift)[:, 0] * (x - shift)[:, 1] > 0).long()


body = nn.Sequential(nn.Linear(10, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU())
first = nn.Sequential(body, nn.Linear(64, 2))
opt = torch.optim.Adam(first.parameters(), lr=3e-3)
for step in range(250):
    x, y = labelled(128, 0.0)
    loss = nn.functional.cross_entropy(first(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
print("pretrained, loss", loss.item())
net = FineTune(body)
opt = torch.optim.Adam(net.head.parameters(), lr=3e-3)
net.train()
for step in range(200):
    x, y = labelled(16, 0.3)
    loss = nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 60 == 0:
        print("step", step, "loss", loss.item())
net.eval()
x, y = labelled(1000, 0.3)
print("accuracy", (net(x).argmax(1) == y).float().mean().item())
