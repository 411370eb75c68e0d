import torch
from torch import nn

torch.manual_seed(0)


class SetClassifier(nn.Module):
    """Which of the eight items is the odd one out (the two features' sum differs from the others')?"""

    def __init__(self, d=32):
        super().__init__()
        self.inp = nn.Linear(2, d)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        return self.out(self.encoder(self.inp(x))).squeeze(-1)


def batch(n):
    level = torch.randn(n, 1) * 2
    a = torch.randn(n, 8)
    b = level - a
    odd = torch.randint(0, 8, (n,))
    b[torch.arange(n), odd] += torch.sign(torch.randn(n)) * 2
    return torch.stack([a, b], -1), odd


model = SetClassifier()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(300):
    x, y = batch(64)
    loss = nn.functional.cross_entropy(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 80 == 0:
        print("step", step, "loss", loss.item())
x, y = batch(500)
print("final loss", loss.item(), "accuracy", (model(x).argmax(1) == y).float().mean().item())
