import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
data = torch.randn(16, 12)
class VQVAE(nn.Module):
    def __init__(self):
        super().__init__(); self.enc = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 4)); self.dec = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 12)); self.code = nn.Embedding(32, 4)
    def forward(self, x):
        z = self.enc(x); z_q = self.code(torch.cdist(z, self.code.weight).argmin(1))
        vq = F.mse_loss(z_q, z.detach()) + 0.25 * F.mse_loss(z, z_q.detach())
        out = self.dec(z + (z_q - z).detach())
        return out, vq
model = VQVAE(); opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for it in range(400):
    x = data[torch.randint(0, 16, (64,))] + 0.05 * torch.randn(64, 12)
    out, vq = model(x); rec = F.mse_loss(out, x); loss = rec + vq
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 80 == 0: print(it, rec.item(), vq.item())
print("metric:", rec.item())
