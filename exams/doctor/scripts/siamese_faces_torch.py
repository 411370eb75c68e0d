import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(5)
N_ID, PER = 20, 8
identity = torch.randn(N_ID, 1, 32)
faces = (identity + 0.5 * torch.randn(N_ID, PER, 32)).view(-1, 32)
ids = torch.arange(N_ID).repeat_interleave(PER)


def sample_pairs(n):
    same = torch.rand(n) < 0.5
    a = torch.randint(0, N_ID * PER, (n,))
    pos = ids[a] * PER + torch.randint(0, PER, (n,))
    neg = torch.randint(0, N_ID * PER, (n,))
    b = torch.where(same, pos, neg)
    return faces[a], faces[b], (ids[a] == ids[b]).float()


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, a, b):
        ea, eb = self.net(a), self.net(b)
        return torch.sqrt(((ea - eb) ** 2).sum(dim=1) + 1e-8)


def contrastive(d, same, margin=2.0):
    return (same * d ** 2 + (1 - same) * F.relu(margin - d) ** 2).mean()


model = Siamese()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(150):
    a, b, same = sample_pairs(32)
    d = model(a, b)
    loss = contrastive(d, same)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 15 == 0:
        print(f"step {step} contrastive loss {loss.item():.4f}")
with torch.no_grad():
    a, b, same = sample_pairs(2000)
    print("verification acc", ((model(a, b) < 1.0).float() == same).float().mean().item())
