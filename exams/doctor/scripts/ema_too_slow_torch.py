import copy
import torch
from torch import nn

torch.manual_seed(0)


class EMA:
    def __init__(self, model, decay):
        self.shadow = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.mul_(self.decay).add_(p, alpha=1 - self.decay)


x = torch.rand(1000, 2) * 4 - 2
y = ((x ** 2).sum(1) < 2).long() + (x[:, 0] > 0).long() * 2
model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
ema = EMA(model, decay=0.98)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(300):
    i = torch.randint(0, 800, (64,))
    loss = nn.functional.cross_entropy(model(x[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    ema.update(model)
    if step % 60 == 0:
        print("step", step, "loss", loss.item())
with torch.no_grad():
    acc = (ema.shadow(x[800:]).argmax(1) == y[800:]).float().mean().item()
print("accuracy of the averaged model", acc)
