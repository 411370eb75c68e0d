import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
N, C, D = 400, 4, 30
y = torch.randint(0, C, (N,))
same = y[:, None] == y[None]
raw_id = torch.randperm(9000)[:N].tolist()
pairs = (torch.rand(N, N) < torch.where(same, 0.05, 0.008)).triu(1).nonzero().tolist()
cites = [(raw_id[a], raw_id[b]) for a, b in pairs]
X = torch.randn(N, D) + 0.35 * F.one_hot(y, C).float() @ torch.randn(C, D)
papers = [(raw_id[i], X[i], y[i]) for i in range(N)]


def build_graph(papers, cites):
    ids = [p[0] for p in papers]
    idx_map = {j: i for i, j in enumerate(ids)}
    A = torch.zeros(len(ids), len(ids))
    for a, b in cites:
        A[idx_map[a], idx_map[b]] = 1
    return A + A.T, torch.stack([p[1] for p in papers]), torch.stack([p[2] for p in papers])


perm = torch.randperm(N)
idx_train, idx_val = perm[:80], perm[80:]


def normalize(adj):
    adj = adj + torch.eye(len(adj))
    d = adj.sum(1).pow(-0.5)
    return d[:, None] * adj * d[None]


class GraphConvolution(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(i, o))
        self.bias = nn.Parameter(torch.zeros(o))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adj):
        return adj @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        x = self.gc2(x, adj)
        return F.log_softmax(x, dim=1)


A, X, y = build_graph(papers, cites)
adj = normalize(A)
model = GCN(D, 16, C, 0.5)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(150):
    model.train()
    optimizer.zero_grad()
    output = model(X, adj)
    loss_train = F.nll_loss(output[idx_train], y[idx_train])
    loss_train.backward()
    optimizer.step()
    if epoch % 30 == 29:
        model.eval()
        pred = model(X, adj).argmax(1)
        acc = (pred[idx_val] == y[idx_val]).float().mean().item()
        print(f"Epoch {epoch + 1:04d} loss {loss_train.item():.4f} val acc {acc:.4f}")
