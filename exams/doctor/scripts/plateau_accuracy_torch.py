import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

torch.manual_seed(0)
x = torch.randn(1200, 10)
y = ((x[:, 0] * x[:, 1] > 0).long() * 2 + (x[:, 2] + x[:, 3] ** 2 > 1).long())
xv, yv = x[1000:], y[1000:]
x, y = x[:1000], y[:1000]


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.sched = ReduceLROnPlateau(self.opt, mode="max", factor=0.3, patience=1)

    def train_epoch(self):
        self.model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(50):
            loss = nn.functional.cross_entropy(self.model(x[idx]), y[idx])
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            total += loss.item()
        return total / 20

    @torch.no_grad()
    def accuracy(self):
        self.model.eval()
        return (self.model(xv).argmax(1) == yv).float().mean().item()

    def fit(self, epochs):
        for epoch in range(epochs):
            loss = self.train_epoch()
            acc = self.accuracy()
            self.sched.step(acc)
            print(f"epoch {epoch} loss {loss:.4f} acc {acc:.3f} lr {self.opt.param_groups[0]['lr']:.5f}")
        return loss, acc


trainer = Trainer(nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4)), 0.05)
print("final", trainer.fit(20))
