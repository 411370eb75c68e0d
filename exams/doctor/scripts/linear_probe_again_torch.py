import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)
mix = torch.randn(30, 10)


def make(n, seed):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 10, generator=g)
    return z @ mix.T + 0.1 * torch.randn(n, 30, generator=g), z


x, z = make(3000, 1)
labels = (z[:, 0] - z[:, 1] > 0).long() + 2 * (z[:, 2] > 0).long()
encoder = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 10))
decoder = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 30))
opt = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), 2e-3)
for step in range(900):
    i = torch.randint(0, 3000, (128,))
    loss = F.mse_loss(decoder(encoder(x[i])), x[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
print("reconstruction", round(loss.item(), 4))

encoder.requires_grad_(False).eval()
probe = nn.Linear(10, 4)
opt = torch.optim.SGD(probe.parameters(), lr=0.1, momentum=0.9)
for step in range(300):
    i = torch.randint(0, 2500, (100,))
    loss = F.cross_entropy(probe(encoder(x[i])), labels[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 100 == 99:
        print("probe step", step + 1, "loss", round(loss.item(), 4))
acc = (probe(encoder(x[2500:])).argmax(1) == labels[2500:]).float().mean().item()
print("linear probe acc", round(acc, 4))
