import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
rng = np.random.RandomState(0)
N, K, D = 300, 4, 16
label = rng.choice(K, N, p=[0.55, 0.25, 0.12, 0.08])
prob = np.where(label[:, None] == label[None], 0.06, 0.004)
adj = np.triu(rng.rand(N, N) < prob, 1)
adj = (adj | adj.T).astype("float32") + np.eye(N, dtype="float32")
deg = adj.sum(1)
A = torch.from_numpy(adj / np.sqrt(deg[:, None] * deg[None]).astype("float32")).float()
means = rng.randn(K, D) * 0.5
X = torch.tensor(means[label] + rng.randn(N, D), dtype=torch.float32)
y = torch.from_numpy(label)
train_mask = torch.zeros(N, dtype=torch.bool)
train_mask[torch.from_numpy(rng.permutation(N)[:80])] = True


class GraphConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.lin = nn.Linear(i, o)

    def forward(self, x, a):
        return a @ self.lin(x)


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = GraphConv(D, 32)
        self.c2 = GraphConv(32, K)
        self.drop = nn.Dropout(0.3)

    def forward(self, x, a):
        h = self.drop(F.relu(self.c1(x, a)))
        return F.log_softmax(self.c2(h, a), dim=1)


model = GCN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(1, 201):
    model.train()
    optimizer.zero_grad()
    out = model(X, A)
    loss = F.nll_loss(out[train_mask], y[train_mask])
    loss.backward()
    optimizer.step()
    if epoch % 40 == 0:
        model.eval()
        with torch.no_grad():
            pred = model(X, A).argmax(1)
            acc = (pred[~train_mask] == y[~train_mask]).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} test acc {acc:.3f}")
