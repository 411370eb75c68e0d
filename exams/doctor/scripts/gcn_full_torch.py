import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
n = 120; y = torch.randint(0, 3, (n,)); A = (torch.rand(n, n) < torch.where(y[:, None] == y, 0.15, 0.02)).float(); A = ((A + A.t()) > 0).float() + torch.eye(n); A = A / A.sum(1, keepdim=True)
X = torch.eye(n)
class GCN(nn.Module):
    def __init__(self): super().__init__(); self.a, self.b = nn.Linear(n, 16), nn.Linear(16, 3)
    def forward(self): h = F.dropout(torch.relu(A @ self.a(X)), 0.5, self.training); return F.log_softmax(A @ self.b(h), 1)
m = GCN(); opt = torch.optim.Adam(m.parameters(), 0.01, weight_decay=5e-4); tr = torch.arange(n) < 30
for e in range(100):
    m.train(); opt.zero_grad(); loss = F.nll_loss(m()[tr], y[tr]); loss.backward(); opt.step()
    m.eval()
    if e % 25 == 0: print(e, loss.item(), (m().argmax(1) == y)[~tr].float().mean().item())
