import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(4)
people = torch.randn(30, 20)


def pairs(n):
    a = torch.randint(0, 30, (n,))
    same = torch.rand(n) < 0.5
    b = torch.where(same, a, (a + torch.randint(1, 30, (n,))) % 30)
    shot = lambda k: people[k] * 0.6 + torch.randn(n, 20) * 0.5 + 2.0
    return shot(a), shot(b), same


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x):
        return self.net(x)


model = Embedder()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(400):
    a, b, same = pairs(128)
    target = same.float() * 2 - 1
    loss = F.cosine_embedding_loss(model(a), model(b), target, margin=0.2)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 80 == 0:
        print(f"step {step} loss {loss.item():.4f}")
with torch.no_grad():
    a, b, same = pairs(1000)
    sim = F.cosine_similarity(model(a), model(b))
    acc = max(((sim > t) == same).float().mean().item() for t in torch.linspace(-1, 1, 81))
print("final loss", loss.item(), "accuracy of verifying", acc)
