import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
N_CLASS, D = 60, 20
base = torch.randn(N_CLASS, 5)
lift = torch.randn(5, D)
nuis = torch.randn(8, D)


def draw(cls, k):
    b = base[cls].repeat_interleave(k, 0) @ lift
    return b + 1.0 * torch.randn(len(b), 8) @ nuis


def episode(pool, way=5, shot=5, query=10):
    cls = pool[torch.randperm(len(pool))[:way]]
    return draw(cls, shot), draw(cls, query)


net = nn.Sequential(nn.Linear(D, 64), nn.ReLU(), nn.Linear(64, 16))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
train_pool, test_pool = torch.arange(0, 45), torch.arange(45, 60)


def forward(s, q, way=5):
    protos = net(s).view(way, -1, 16).mean(1)
    logits = -torch.cdist(net(q), protos) ** 2
    y = torch.arange(way).repeat_interleave(len(q) // way)
    return F.cross_entropy(logits, y), (logits.argmax(1) == y).float().mean().item()


losses = []
for ep in range(400):
    loss, acc = forward(*episode(train_pool))
    opt.zero_grad()
    loss.backward()
    opt.step()
    losses.append(loss.item())
    if ep % 100 == 99:
        print("episode", ep + 1, "loss", round(sum(losses[-50:]) / 50, 4))
with torch.no_grad():
    accs = [forward(*episode(test_pool))[1] for _ in range(60)]
print("novel class acc", round(sum(accs) / 60, 4))
