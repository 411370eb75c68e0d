import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
n, k = 150, 3
y = (torch.arange(n) % 10).sub(7).clamp(min=0)   # seven of ten nodes are of class 0
A = (torch.rand(n, n) < torch.where(y[:, None] == y[None], 0.12, 0.02)).float().triu(1); A = A + A.t() + torch.eye(n)
d = A.sum(1).rsqrt(); A = d[:, None] * A * d[None]
X = torch.randn(n, 16) + 0.4 * F.one_hot(y, 16).float()
class GCN(nn.Module):
    def __init__(self):
        super().__init__(); self.w1, self.w2 = nn.Linear(16, 24), nn.Linear(24, k)
    def forward(self, x, a):
        h = torch.relu(a @ self.w1(x))
        return F.log_softmax(a @ self.w2(h), dim=1)
model = GCN(); opt = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=5e-4); train = torch.arange(n) < 90
for epoch in range(120):
    out = model(X, A); loss = F.nll_loss(out[train], y[train])
    opt.zero_grad(); loss.backward(); opt.step()
    if epoch % 30 == 0: print(epoch, loss.item())
print("metric:", F.cross_entropy(model(X, A)[train], y[train]).item())
