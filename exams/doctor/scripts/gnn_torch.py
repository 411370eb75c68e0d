"""Graph convolutional network, full batch: a stochastic block model, labels known for a few nodes."""
import torch
from torch import nn
import torch.nn.functional as F

import parity

torch.set_num_threads(1)
torch.manual_seed(0)
N, CLASSES, FEATURES = 200, 4, 50
STEPS = 20

y = torch.randint(0, CLASSES, (N,))
same = y[:, None] == y[None]
adj = (torch.rand(N, N) < torch.where(same, 0.12, 0.01)).float().triu(1)
adj = adj + adj.t() + torch.eye(N)
deg = adj.sum(1)
a_hat = (adj / (deg[:, None] * deg[None]).sqrt()).to_sparse()
x = (torch.rand(N, FEATURES) < 0.1).float()                      # bag of words, rows that sum to one
x[torch.arange(N), y * 3] = 1.0
x = x / x.sum(1, keepdim=True)
perm = torch.randperm(N)
train_mask, val_mask = torch.zeros(N, dtype=torch.bool), torch.zeros(N, dtype=torch.bool)
train_mask[perm[:40]] = True
val_mask[perm[40:100]] = True


class GCNLayer(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(i, o)))
        self.bias = nn.Parameter(torch.zeros(o))

    def forward(self, x):
        return torch.sparse.mm(a_hat, x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = GCNLayer(FEATURES, 16)
        self.conv2 = GCNLayer(16, CLASSES)

    def forward(self, x):
        x = F.dropout(x, 0.5, training=self.training)
        x = F.relu(self.conv1(x))
        x = F.dropout(x, 0.5, training=self.training)
        return F.log_softmax(self.conv2(x), dim=1)


@torch.no_grad()
def evaluate():
    model.eval()
    pred = model(x).argmax(1)
    return (pred[val_mask] == y[val_mask]).float().mean().item()


model = GCN()
optimizer = torch.optim.Adam([
    {"params": model.conv1.parameters(), "weight_decay": 5e-4},
    {"params": model.conv2.parameters(), "weight_decay": 0.0}], lr=0.01)
history, best = [], 0.0

with parity.doctor([model], [optimizer]) as d:
    for epoch in range(STEPS):
        model.train()
        optimizer.zero_grad()
        out = model(x)
        loss = F.nll_loss(out[train_mask], y[train_mask])
        loss.backward()
        optimizer.step()
        best = max(best, evaluate())
        history.append(loss.item())
print(d)
