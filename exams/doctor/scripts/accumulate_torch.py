import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
accum_steps = 4
x = torch.randn(2400, 16)
w = torch.randn(16, 6)
y = (torch.relu(x @ w) @ torch.randn(6, 3)).argmax(1)
net = nn.Sequential(nn.Linear(16, 96), nn.ReLU(), nn.Linear(96, 3))
optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
optimizer.zero_grad()
n_updates = 0
for epoch in range(12):
    total = 0.0
    for i, idx in enumerate(torch.randperm(2400).split(20)):
        loss = F.cross_entropy(net(x[idx]), y[idx])
        (loss / accum_steps).backward()
        total += loss.item()
        if (i + 1) % accum_steps == 0:
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            n_updates += 1
    if epoch % 3 == 2:
        acc = (net(x).argmax(1) == y).float().mean().item()
        print(f"epoch {epoch + 1} updates {n_updates} loss {total / 120:.4f} acc {acc:.4f}")
