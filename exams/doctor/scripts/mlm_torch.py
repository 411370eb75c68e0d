import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
V, L, D = 24, 12, 32
class MLM(nn.Module):
    def __init__(self): super().__init__(); self.e, self.p = nn.Embedding(V, D, padding_idx=0), nn.Embedding(L, D); self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(D, 4, 64, dropout=0.1, batch_first=True, norm_first=True), 2, enable_nested_tensor=False); self.h = nn.Linear(D, V)
    def forward(self, x): return self.h(self.enc(self.e(x) + self.p(torch.arange(L)), src_key_padding_mask=x == 0))
m = MLM(); opt = torch.optim.AdamW(m.parameters(), 2e-3); sch = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 20))
for it in range(100):
    x = (torch.randint(0, 10, (32, 1)) + torch.arange(L)) % 20 + 2; n = torch.randint(6, L + 1, (32, 1)); x = torch.where(torch.arange(L) < n, x, 0)
    mask = (torch.rand(32, L) < 0.2) & (x != 0); mask[:, 0] = True; y = torch.where(mask, x, -100)
    loss = F.cross_entropy(m(torch.where(mask, 1, x)).transpose(1, 2), y, ignore_index=-100)
    opt.zero_grad(); loss.backward(); opt.step(); sch.step()
    if it % 25 == 0: print(it, loss.item())
