import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
latent = torch.randn(200, 6); img_mix, txt_mix = torch.randn(6, 20), torch.randn(6, 14)
class CLIP(nn.Module):
    def __init__(self):
        super().__init__(); self.image, self.text = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 12)), nn.Sequential(nn.Linear(14, 32), nn.ReLU(), nn.Linear(32, 12)); self.scale = nn.Parameter(torch.tensor(2.0))
    def forward(self, i, t): return self.scale.exp() * F.normalize(self.image(i), dim=1) @ F.normalize(self.text(t), dim=1).t()
model = CLIP(); opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for it in range(200):
    k = torch.randint(0, 200, (48,)); logits = model(latent[k] @ img_mix + 0.1 * torch.randn(48, 20), latent[k] @ txt_mix + 0.1 * torch.randn(48, 14))
    labels = torch.arange(48)
    loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
logits = model(latent @ img_mix, latent @ txt_mix); print("metric:", (logits.argmax(1) == torch.arange(200)).float().mean().item())
