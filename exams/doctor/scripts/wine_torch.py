import numpy as np
import torch
from torch import nn

np.random.seed(2)
torch.manual_seed(2)
y = np.repeat([0, 1, 2], 400)
mu = np.random.randn(3, 13)
X = mu[y] * 0.8 + np.random.randn(1200, 13)


def shuffle_and_split(X, y, frac=0.8):
    perm = np.random.permutation(len(X))
    X, y = X[perm], y[perm]
    k = int(frac * len(X))
    return X[:k], y[:k], X[k:], y[k:]


Xtr, ytr, Xte, yte = shuffle_and_split(X, y)
mean, std = Xtr.mean(0), Xtr.std(0)
Xtr, Xte = [torch.tensor((a - mean) / std, dtype=torch.float32) for a in (Xtr, Xte)]
ytr, yte = torch.tensor(ytr), torch.tensor(yte)

net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(20):
    for i in range(0, len(Xtr), 32):
        optimizer.zero_grad()
        loss = loss_fn(net(Xtr[i:i + 32]), ytr[i:i + 32])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            tr = (net(Xtr).argmax(1) == ytr).float().mean().item()
            te = (net(Xte).argmax(1) == yte).float().mean().item()
        print("epoch", epoch + 1, "loss", round(loss.item(), 4), "train", round(tr, 4), "test", round(te, 4))
