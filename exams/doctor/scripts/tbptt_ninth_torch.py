import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V, B, T = 15, 10, 12; seq = torch.randint(0, V, (B, 30)).repeat(1, 12)
class RNN(nn.Module):
    def __init__(self): super().__init__(); self.e, self.r, self.o = nn.Embedding(V, 24), nn.LSTM(24, 48), nn.Linear(48, V)
    def forward(self, x, h): y, h = self.r(self.e(x), h); return self.o(y), h
m = RNN(); lr = 2.0
for epoch in range(3):
    h = (torch.zeros(1, B, 48), torch.zeros(1, B, 48)); total = 0.0
    for i in range(0, 340, T):
        x, y = seq[:, i:i+T].t(), seq[:, i+1:i+T+1].t(); h = tuple(v.detach() for v in h); m.zero_grad()
        out, h = m(x, h); loss = F.cross_entropy(out.reshape(-1, V), y.reshape(-1)); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), 0.25)
        for p in m.parameters(): p.data.add_(p.grad, alpha=-lr)
        total += loss.item()
    print(epoch, total / 29)
