import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
basis = torch.randn(3, 20)
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(20, 48), nn.Linear(48, 4), nn.Linear(48, 4)
        self.fc3, self.fc4 = nn.Linear(4, 48), nn.Linear(48, 20)
    def forward(self, x):
        h = torch.relu(self.fc1(x)); mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.fc4(torch.relu(self.fc3(z))), mu, logvar
def loss_function(recon, x, mu, logvar):
    mse = F.mse_loss(recon, x, reduction="sum") / len(x)
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / len(x)
    return mse + kld
model = VAE(); opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for it in range(200):
    x = torch.randn(64, 3) @ basis + 0.1 * torch.randn(64, 20)
    recon, mu, logvar = model(x); loss = loss_function(recon, x, mu, logvar)
    opt.zero_grad(); loss.backward(); opt.step()
    if it % 40 == 0: print(it, loss.item())
print("metric:", F.mse_loss(recon, x).item())
