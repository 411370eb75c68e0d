import math, torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V, L, D = 10, 8, 32
class PositionalEncoding(nn.Module):
    def __init__(self, d, max_len=128):
        super().__init__(); pe = torch.zeros(max_len, 1, d); p = torch.arange(max_len).unsqueeze(1); div = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        pe[:, 0, 0::2], pe[:, 0, 1::2] = torch.sin(p * div), torch.cos(p * div); self.register_buffer("pe", pe)
    def forward(self, x):
        return x + self.pe[:x.size(1)].transpose(0, 1)
class Model(nn.Module):
    def __init__(self):
        super().__init__(); self.emb, self.pe = nn.Embedding(V, D), PositionalEncoding(D)
        self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(D, 2, 64, dropout=0.0, batch_first=True), 1); self.fc = nn.Linear(D, V)
    def forward(self, x): return self.fc(self.enc(self.pe(self.emb(x))))
model = Model(); opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for it in range(150):
    x = torch.randint(0, V, (64, L)); y = x.flip(1)
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 30 == 0: print(it, loss.item())
print("metric:", (model(x).argmax(-1) == y).float().mean().item())
