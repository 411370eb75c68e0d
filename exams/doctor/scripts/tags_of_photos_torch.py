import argparse
import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--lr", type=float, default=5e-3)
args = parser.parse_args()
torch.manual_seed(0)
rng = np.random.default_rng(2)

# 6 tags, each photo has none to six of them
tags = (rng.random((900, 6)) < 0.35).astype("float32")
mix = rng.normal(size=(6, 24))
photos = (tags @ mix + rng.normal(0, 0.6, (900, 24))).astype("float32")
x, y = torch.from_numpy(photos), torch.from_numpy(tags)

model = nn.Sequential(nn.Linear(24, 48), nn.ReLU(), nn.Linear(48, 6))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    perm = torch.randperm(700)
    running = 0.0
    for i in range(0, 700, 50):
        idx = perm[i:i + 50]
        optimizer.zero_grad()
        loss = criterion(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        running += loss.item()
    print(f"[{epoch}] loss: {running / 14:.4f}")
with torch.no_grad():
    pred = (torch.sigmoid(model(x[700:])) > 0.5).float()
print("tags right", (pred == y[700:]).float().mean().item())
