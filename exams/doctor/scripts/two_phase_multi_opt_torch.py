import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(8)


class SplitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.EmbeddingBag(200, 24, mode="mean", sparse=True)
        self.mlp = nn.Sequential(nn.Linear(24, 48), nn.ReLU(), nn.Linear(48, 2))

    def forward(self, x):
        return self.mlp(self.emb(x))


x = torch.randint(0, 200, (3000, 12))
y = ((x < 70).sum(1) > 4).long()
net = SplitNet()
opt_sparse = torch.optim.SparseAdam(net.emb.parameters(), lr=0.01)
opt_dense = torch.optim.Adam(net.mlp.parameters(), lr=0.003)
for epoch in range(8):
    for idx in torch.randperm(2500).split(50):
        for o in (opt_sparse, opt_dense):
            o.zero_grad()
        loss = F.cross_entropy(net(x[idx]), y[idx])
        loss.backward()
        opt_sparse.step()
        opt_dense.step()
    with torch.no_grad():
        acc = (net(x[2500:]).argmax(1) == y[2500:]).float().mean().item()
    print("epoch", epoch, "loss", round(loss.item(), 4), "acc", round(acc, 4))
