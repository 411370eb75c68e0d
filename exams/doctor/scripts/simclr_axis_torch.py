import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(1)
protos = torch.randn(40, 24)

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
    def forward(self, x):
        return F.normalize(self.net(x), dim=1)

def nt_xent(z1, z2, temperature=0.2):
    z = torch.cat([z1, z2]); n = len(z1)
    sim = z @ z.t() / temperature
    sim.fill_diagonal_(-1e9)
    return F.cross_entropy(sim, torch.cat([torch.arange(n) + n, torch.arange(n)]))

def augment(x): return x + 0.4 * torch.randn_like(x)

enc = Encoder(); opt = torch.optim.Adam(enc.parameters(), lr=1e-3)
for step in range(200):
    x = protos[torch.randint(0, 40, (64,))] + 0.1 * torch.randn(64, 24)
    loss = nt_xent(enc(augment(x)), enc(augment(x)))
    opt.zero_grad(); loss.backward(); opt.step()
    if step % 40 == 0: print(step, loss.item())
with torch.no_grad():
    a, b = enc(augment(protos)), enc(augment(protos))
print("metric:", ((a @ b.t()).argmax(1) == torch.arange(40)).float().mean().item())
