import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
U, I = 60, 80; taste = torch.randn(U, 4) @ torch.randn(4, I); liked = [torch.where(taste[u] > 1.0)[0] for u in range(U)]
liked = [l if len(l) else taste[u].argmax()[None] for u, l in enumerate(liked)]
class MF(nn.Module):
    def __init__(self):
        super().__init__(); self.u, self.i = nn.Embedding(U, 8), nn.Embedding(I, 8)
        nn.init.normal_(self.u.weight, std=0.1); nn.init.normal_(self.i.weight, std=0.1)
    def forward(self, u, i): return (self.u(u) * self.i(i)).sum(-1)
model = MF(); opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for it in range(300):
    u = torch.randint(0, U, (128,)); pos = torch.stack([liked[k][torch.randint(0, len(liked[k]), ())] for k in u.tolist()]); neg = torch.randint(0, I, (128,))
    loss = -F.logsigmoid(model(u, pos) - model(u, neg)).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 60 == 0: print(it, loss.item())
score = model.u.weight @ model.i.weight.t()
print("metric:", sum((score[u][liked[u]].mean() > score[u].mean()).item() for u in range(U)) / U)
