import torch
from torch import nn

torch.manual_seed(2)


def trees(n):
    """Lists of unlike length; the label is whether the sum of the first column is above zero."""
    items = [torch.randn(int(torch.randint(2, 9, (1,))), 4) for _ in range(n)]
    return items, torch.tensor([float(t[:, 0].sum() > 0) for t in items])


class BagNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16))
        self.rho = nn.Linear(16, 1)

    def forward(self, bag):
        return self.rho(self.phi(bag).sum(0)).squeeze()


bags, labels = trees(300)
model = BagNet()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(8):
    order = torch.randperm(len(bags)).tolist()
    total = 0.0
    for start in range(0, len(bags), 20):
        losses = [loss_fn(model(bags[i]), labels[i]) for i in order[start:start + 20]]
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print("epoch", epoch, "loss", total / 15)
