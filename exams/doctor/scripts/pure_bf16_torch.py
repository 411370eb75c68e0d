import torch, torch.nn as nn
torch.manual_seed(0)
DT = torch.float32
model = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1)).to(DT)
with torch.no_grad():
    for p in model.parameters(): p.mul_(3)
opt = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0)
w = torch.randn(16, 1)
for it in range(250):
    x = torch.randn(64, 16); y = (x @ w).tanh()
    loss = (model(x.to(DT)).float() - y).pow(2).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 50 == 0: print(it, loss.item())
print("metric:", loss.item())
