"""Two tasks that alternate, one trunk, losses weighted by learned uncertainty; a scheduler per epoch."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
EPOCHS = 3


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.heads = nn.ModuleDict({
            "price": nn.Linear(64, 1),
            "kind": nn.Linear(64, 4),
        })
        self.log_vars = nn.ParameterDict({"price": nn.Parameter(torch.zeros(())), "kind": nn.Parameter(torch.zeros(()))})

    def forward(self, x, task):
        return self.heads[task](self.trunk(x))

    def weighted(self, loss, task):
        s = self.log_vars[task]
        return torch.exp(-s) * loss + 0.5 * s


class Trainer:
    def __init__(self, model):
        g = torch.Generator().manual_seed(1)
        w = torch.randn(10, 4, generator=g)
        xa, xb = torch.randn(256, 10, generator=g), torch.randn(256, 10, generator=g)
        price = torch.tanh(xa @ w[:, 0]) - 0.3 * xa[:, 1]
        kind = (xb @ w).argmax(dim=1)
        self.loaders = {
            "price": DataLoader(TensorDataset(xa, price), batch_size=64, shuffle=True),
            "kind": DataLoader(TensorDataset(xb, kind), batch_size=64, shuffle=True),
        }
        self.model = model
        self.criteria = {"price": nn.SmoothL1Loss(), "kind": nn.CrossEntropyLoss()}
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=2, gamma=0.5)
        self.history = {"price": [], "kind": []}

    def batches(self):
        for a, b in zip(self.loaders["price"], self.loaders["kind"]):
            yield "price", a
            yield "kind", b

    def training_step(self, task, batch):
        x, y = batch
        out = self.model(x, task)
        if task == "price":
            out = out.squeeze(1)
        return self.criteria[task](out, y)

    def fit(self, d, epochs):
        for epoch in range(epochs):
            self.model.train()
            for task, batch in d.watch(self.batches()):
                raw = self.training_step(task, batch)
                self.optimizer.zero_grad()
                self.model.weighted(raw, task).backward()
                self.optimizer.step()
                self.history[task].append(raw.item())
            self.scheduler.step()


trainer = Trainer(MultiTask())
with parity.doctor(trainer.model, trainer.optimizer) as d:
    trainer.fit(d, EPOCHS)
history = trainer.history["price"]
print(d)
