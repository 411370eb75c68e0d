import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
n, k = 300, 5
y = torch.randint(0, k, (n,))
src, dst = [], []
for i in range(n):
    same = (y == y[i]).nonzero().flatten()
    for j in same[torch.randint(0, len(same), (5,))].tolist() + torch.randint(0, n, (1,)).tolist():
        src += [i, j]
        dst += [j, i]
edge_index = torch.tensor([src, dst])
feat = F.one_hot(y, k).float() + 1.5 * torch.randn(n, k)
feat = torch.cat([feat, torch.randn(n, 10)], 1)
perm = torch.randperm(n)
train_idx, test_idx = perm[:100], perm[100:]


class GraphConv(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.lin_self = nn.Linear(d_in, d_out)
        self.lin_neigh = nn.Linear(d_in, d_out, bias=False)

    def forward(self, x, edge_index):
        src, dst = edge_index
        agg = torch.zeros_like(x)
        agg = agg.index_add(0, dst, x[src])
        deg = torch.zeros(x.size(0)).index_add(0, dst, torch.ones(dst.numel())).clamp(min=1)
        return self.lin_self(x) + self.lin_neigh(agg / deg.unsqueeze(1))


class GNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = GraphConv(15, 16), GraphConv(16, k)

    def forward(self, x, ei):
        return self.c2(F.dropout(F.relu(self.c1(x, ei)), 0.3, self.training), ei)


model = GNN()
opt = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(120):
    model.train()
    opt.zero_grad()
    loss = F.cross_entropy(model(feat, edge_index)[train_idx], y[train_idx])
    loss.backward()
    opt.step()
    if epoch % 12 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
model.eval()
with torch.no_grad():
    pred = model(feat, edge_index).argmax(1)
print("train acc", (pred[train_idx] == y[train_idx]).float().mean().item())
print("test acc", (pred[test_idx] == y[test_idx]).float().mean().item())
