import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(1024, 32)
w = torch.randn(32, 4)
y = (X @ w).argmax(1)
y_new = ((X + 0.3) @ w[:, [1, 0, 2, 3]]).argmax(1)

net = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 4))


def accuracy(target):
    with torch.no_grad():
        p = next(net.parameters()).dtype
        return (net(X.to(p)).float().argmax(1) == target).float().mean().item()


opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for _ in range(8):
    for idx in torch.randperm(1024).split(64):
        loss = F.cross_entropy(net(X[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
print(f"pretrained acc {accuracy(y):.3f}")

net = net.float()
dtype = next(net.parameters()).dtype
opt = torch.optim.Adam(net.parameters(), lr=5e-5)
for epoch in range(1, 61):
    total = 0.0
    for idx in torch.randperm(1024).split(64):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(X[idx].to(dtype))
        loss = F.cross_entropy(logits.float(), y_new[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 12 == 0:
        print(f"epoch {epoch} loss {total / 16:.4f} new-task acc {accuracy(y_new):.3f}")
