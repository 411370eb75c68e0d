import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
C, T, L = 6, 12, 3
tones = torch.randn(C, 8)
class Speech(nn.Module):
    def __init__(self):
        super().__init__(); self.rnn = nn.GRU(8, 32, batch_first=True, bidirectional=True); self.fc = nn.Linear(64, C)
    def forward(self, x):
        return self.fc(self.rnn(x)[0]).log_softmax(-1)
def batch(n=32):
    y = torch.randint(1, C, (n, L)); x = tones[y].repeat_interleave(T // L, 1) + 0.3 * torch.randn(n, T, 8); return x, y
net = Speech(); opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for it in range(120):
    x, y = batch(); lp = net(x).transpose(0, 1)
    loss = F.ctc_loss(lp, y, torch.full((32,), T), torch.full((32,), L))
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, loss.item())
x, y = batch(200); best = net(x).argmax(-1); hits = 0
for b, t in zip(best, y):
    out = [int(v) for i, v in enumerate(b) if v and (i == 0 or v != b[i-1])]
    ref = [int(v) for i, v in enumerate(t) if i == 0 or v != t[i-1]]
    hits += [v for i, v in enumerate(out) if i == 0 or v != out[i-1]] == ref
print("metric:", hits / 200)
