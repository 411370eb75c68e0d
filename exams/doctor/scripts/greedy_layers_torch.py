import torch
from torch import nn

torch.manual_seed(0)
proto = torch.randn(5, 20)
y = torch.randint(0, 5, (1000,))
x = proto[y] + 0.9 * torch.randn(1000, 20)


class LocalLayer(nn.Module):
    """A layer with a classifier and an optimizer of its own; what it hands on is detached."""

    def __init__(self, i, o):
        super().__init__()
        self.body, self.local = nn.Sequential(nn.Linear(i, o), nn.ReLU()), nn.Linear(o, 5)
        self.opt = torch.optim.Adam(self.parameters(), lr=2e-3)

    def learn(self, x, y):
        h = self.body(x)
        loss = nn.functional.cross_entropy(self.local(h), y)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return h.detach(), loss.item()


layers = [LocalLayer(20, 64), LocalLayer(64, 64), LocalLayer(64, 32)]
for epoch in range(8):
    for i in torch.randperm(800).split(40):
        h = x[i]
        losses = []
        for layer in layers:
            h, value = layer.learn(h, y[i])
            losses.append(value)
    print("epoch", epoch, "losses", [round(v, 4) for v in losses])
h = x[800:]
for layer in layers:
    h = layer.body(h)
print("accuracy", (layers[-1].local(h).argmax(1) == y[800:]).float().mean().item())
