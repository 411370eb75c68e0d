import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(1)
V, L = 16, 12
class Pool(nn.Module):
    """Attention pooling over the tokens of a text."""
    def __init__(self, d=24):
        super().__init__(); self.emb, self.att, self.fc = nn.Embedding(V, d, padding_idx=0), nn.Linear(d, 1), nn.Linear(d, 5)
    def forward(self, ids):
        x = self.emb(ids); mask = ids != 0
        s = self.att(x).squeeze(-1).masked_fill(~mask, -1e9)
        return self.fc((s.softmax(1).unsqueeze(-1) * x).sum(1))
def batch(n=64):
    ids = torch.randint(6, V, (n, L)); y = torch.randint(0, 5, (n,)); ids[torch.arange(n), torch.randint(0, 6, (n,))] = y + 1
    for i in range(n): ids[i, int(torch.randint(6, L, (1,))):] = 0
    return ids, y
net = Pool(); opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for it in range(200):
    ids, y = batch(); loss = F.cross_entropy(net(ids), y)
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
ids, y = batch(512); print("metric:", (net(ids).argmax(1) == y).float().mean().item())
